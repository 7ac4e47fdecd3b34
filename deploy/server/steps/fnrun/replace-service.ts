import { FnrunError } from '../../../../runtime/contract/errors.ts';
import { serviceLimits, setupLimits } from '../../../../runtime/contract/limits.ts';
import { writeFile } from '../../files.ts';
import { layout } from '../../layout.ts';
import { must } from '../../must.ts';
import type { SetupContext } from '../../step.ts';

/** Stands in for the server while its unit is started anew. In /run: a boot forgets it. */
export const bridge = 'fnrun-bridge.service';
const bridgeFile = `/run/systemd/system/${bridge}`;

/**
 * Replaces the server that runs, without a request lost: systemd starts no second process of a unit, so another unit with
 * the same settings takes over from the server first, and the new server then from that one. Throws FN_SETUP_FAILED, and
 * has the version before serve on, when the new one does not start.
 */
export async function replaceService(context: SetupContext, { unit }: { unit: string }): Promise<void> {
  const { machine, tell } = context;
  tell('another server takes over');
  const text = unit.replace(/^Description=.*$/m, 'Description=fnrun, while its unit is started anew');
  await writeFile(machine, { path: bridgeFile, text });
  await must(machine, ['systemctl', 'daemon-reload']);
  try {
    await startUnit(context, bridge);
  } catch (error) {
    await goBack(context);
    throw error;
  }
  await freeConnections(context);
  tell('the server before ends when its requests are over');
  const timeoutMs = (serviceLimits.stopSeconds + setupLimits.unitSlackSeconds) * 1000;
  await must(machine, ['systemctl', 'stop', '--', layout.unit], { timeoutMs });
  await startService(context);
}

/** Starts the server; it takes over from whichever runs. Throws FN_SETUP_FAILED with what it said when it does not answer. */
export async function startService(context: SetupContext): Promise<void> {
  await startUnit(context, layout.unit);
}

/** Ends the stand-in, if there is one, when its requests are over. */
export async function endBridge(context: SetupContext): Promise<void> {
  const { machine } = context;
  if ((await machine.run(['test', '-e', bridgeFile])).code !== 0) return;
  await freeConnections(context);
  const timeoutMs = (serviceLimits.stopSeconds + setupLimits.unitSlackSeconds) * 1000;
  await must(machine, ['systemctl', 'stop', '--', bridge], { timeoutMs });
  await must(machine, ['rm', '-f', '--', bridgeFile]);
  await must(machine, ['systemctl', 'daemon-reload']);
}

/** nginx holds idle connections to the server before for a minute; new workers of it have none. Its clients notice nothing. */
async function freeConnections({ machine }: SetupContext): Promise<void> {
  await machine.run(['sh', '-c', 'systemctl is-active -q nginx && systemctl reload nginx']);
}

const wait = [
  'end=$(($(date +%s) + $3))',
  'while :; do',
  '  pid=$(systemctl show -p MainPID --value -- "$1")',
  '  answers=$(curl -s --max-time 10 --unix-socket "$2/run/control.sock" http://control/v1/health)',
  '  case $answers in *"\\"pid\\":$pid,"*) [ "$pid" -gt 0 ] && exit 0;; esac',
  '  [ "$(date +%s)" -lt "$end" ] || break',
  '  sleep 0.3',
  'done',
  `journalctl -u "$1" -n ${setupLimits.lastWords} -o cat --no-pager >&2; exit 1`,
].join('\n');

async function startUnit({ machine }: SetupContext, unit: string): Promise<void> {
  const seconds = setupLimits.serviceSeconds;
  const timeoutMs = (seconds + setupLimits.unitSlackSeconds) * 1000;
  await must(machine, ['systemctl', 'reset-failed', '--', unit]).catch(() => undefined);
  await must(machine, ['systemctl', 'start', '--', unit], { timeoutMs });
  const { code, stderr } = await machine.run(['sh', '-c', wait, 'sh', unit, layout.home, String(seconds)], {
    timeoutMs,
  });
  if (code === 0) return;
  throw new FnrunError('FN_SETUP_FAILED', `${unit} does not answer after ${seconds} s; it says: ${stderr.trim()}`, {
    hint: `see: journalctl -u ${unit}`,
  });
}

/** The version before is current again. It serves still, or is started when it had let go already. */
async function goBack({ machine, tell }: SetupContext): Promise<void> {
  tell('it does not start: the version before serves on');
  await machine.run(['systemctl', 'stop', '--', bridge], { timeoutMs: setupLimits.packagesMs });
  await machine.run(['rm', '-f', '--', bridgeFile]);
  const relink = 'cd "$1" && [ -e previous ] && ln -sfn -- "$(readlink previous)" .current && mv -T .current current';
  await machine.run(['sh', '-c', relink, 'sh', layout.programs]);
  await machine.run(['systemctl', 'daemon-reload']);
  const answers = `curl -s --max-time 10 --unix-socket ${layout.home}/run/control.sock http://control/v1/health`;
  if (!(await machine.run(['sh', '-c', answers])).stdout.includes('"ok"')) {
    await machine.run(['systemctl', 'restart', '--', layout.unit], { timeoutMs: setupLimits.packagesMs });
  }
}
