import { doctorLimits } from '../../../runtime/contract/limits.ts';
import type { Finding } from '../../mysql/doctor/finding.ts';
import { onServer, output, shell, type DoctorContext, type MachineCheck } from '../check.ts';

const look = 'cat /proc/meminfo; cat /proc/pressure/memory 2>/dev/null; grep "^oom_kill " /proc/vmstat; exit 0';

/** Memory that is left, swap, and processes that the kernel ended for want of it. */
export const memoryCheck: MachineCheck = {
  id: 'memory',
  async check(context) {
    const reading = readMemory(await shell(context, look));
    if (reading === null) return { skipped: 'no /proc/meminfo' };
    const { totalMb, availableMb, swapMb } = reading;
    const findings = judgeMemory(reading, { severity: onServer(context), container: context.facts.container });
    if (reading.oomKills > 0) findings.push(await oomFinding(context, reading.oomKills));
    return { findings, seen: `${availableMb} of ${totalMb} MB available, ${swapMb} MB of swap` };
  },
};

export interface MemoryReading {
  totalMb: number;
  availableMb: number;
  swapMb: number;
  swapUsedMb: number;
  /** Share of the last five minutes in which something waited for memory; null: the kernel does not tell. */
  pressure: number | null;
  /** Since the machine started; those of apps over their own limit are among them. */
  oomKills: number;
}

export function readMemory(text: string): MemoryReading | null {
  const megabytes = (name: string): number =>
    Math.floor(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024);
  const totalMb = megabytes('MemTotal');
  if (totalMb === 0) return null;
  const pressure = /^some .*avg300=([\d.]+)/m.exec(text)?.[1];
  return {
    totalMb,
    availableMb: megabytes('MemAvailable'),
    swapMb: megabytes('SwapTotal'),
    swapUsedMb: megabytes('SwapTotal') - megabytes('SwapFree'),
    pressure: pressure === undefined ? null : Number(pressure) / 100,
    oomKills: Number(/^oom_kill (\d+)/m.exec(text)?.[1] ?? 0),
  };
}

export function judgeMemory(
  reading: MemoryReading,
  { severity, container }: { severity: 'warning' | 'note'; container: boolean },
): Finding[] {
  const { totalMb, availableMb, swapMb, swapUsedMb, pressure } = reading;
  const findings: Finding[] = [];
  if (availableMb < totalMb * doctorLimits.memoryLeftShare) {
    findings.push({
      id: 'memory-low',
      severity: 'warning',
      what: 'there is hardly any memory left',
      measured: `/proc/meminfo: ${availableMb} of ${totalMb} MB available`,
      todo: 'fnrun ps shows what apps use: lower limits.memoryMb in fnrun.json or config.json, or give the machine more',
    });
  }
  if (pressure !== null && pressure >= doctorLimits.memoryPressure) {
    findings.push({
      id: 'memory-pressure',
      severity: 'warning',
      what: 'programs wait for memory',
      measured: `/proc/pressure/memory: ${Math.round(pressure * 100)} % of the last 5 minutes`,
      todo: 'fnrun ps shows what apps use; fnrun doctor mysql what the database may use',
    });
  }
  if (swapMb === 0 && totalMb < doctorLimits.swapBelowMb && !container) {
    findings.push({
      id: 'no-swap',
      severity,
      what: 'a machine of this size without swap ends programs at the first peak',
      measured: `/proc/meminfo: ${totalMb} MB of memory, no swap`,
      todo: 'fnrun server setup makes a swap file',
    });
  }
  if (swapMb > 0 && swapUsedMb > swapMb * doctorLimits.swapUsedShare) {
    findings.push({
      id: 'swap-used-up',
      severity,
      what: 'most of the swap is in use',
      measured: `/proc/meminfo: ${swapUsedMb} of ${swapMb} MB`,
      todo: 'ps -eo rss,comm --sort=-rss | head; less for the database or the apps, or more memory',
    });
  }
  return findings;
}

async function oomFinding(context: DoctorContext, kills: number): Promise<Finding> {
  const ran = await output(context, [
    'journalctl',
    '-k',
    '-q',
    '--no-pager',
    '-o',
    'short-iso',
    '-g',
    'Killed process|oom-kill',
  ]);
  const words = (ran?.text ?? '').trim().split('\n').at(-1) ?? '';
  const last = /Killed process \d+ \(([^)]*)\)/.exec(words)?.[1];
  const when = /^\S+/.exec(words)?.[0];
  const told = last === undefined ? '' : `, the last one ${last} at ${when}`;
  return {
    id: 'oom-kills',
    severity: 'warning',
    what: 'the kernel has ended programs for want of memory, apps over their own limit among them',
    measured: `/proc/vmstat: ${kills} since the start of the machine${told}`,
    todo: 'journalctl -k -g "Killed process" names them; fnrun ps APP tells an app\'s last ends and its limit',
  };
}
