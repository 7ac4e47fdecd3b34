import { doctorLimits } from '../../../runtime/contract/limits.ts';
import { output, type MachineCheck } from '../check.ts';
import type { Finding } from '../../mysql/doctor/finding.ts';

/** Whether the clock is right: certificates, cron and logs go by it. */
export const clockCheck: MachineCheck = {
  id: 'clock',
  async check(context) {
    const findings: Finding[] = [];
    const seen: string[] = [];
    if (!context.machine.local) {
      const before = context.now().getTime();
      const ran = await output(context, ['date', '+%s.%N']);
      const after = context.now().getTime();
      // In the middle of the way there and back, if both were the same.
      const offMs = Number(ran?.text ?? NaN) * 1000 - (before + after) / 2;
      const unsureMs = (after - before) / 2;
      if (Number.isFinite(offMs)) seen.push(`${Math.round(offMs)} ms from this machine's, ± ${Math.round(unsureMs)}`);
      if (Math.abs(offMs) - unsureMs > doctorLimits.clockOffMs) {
        findings.push({
          id: 'clock-off',
          severity: 'warning',
          what: 'the clock differs from the one here',
          measured: `by ${(offMs / 1000).toFixed(1)} s, ± ${(unsureMs / 1000).toFixed(1)}`,
          todo: 'see which of both is wrong: timedatectl timesync-status',
        });
      }
    }
    const ran =
      context.facts.container || !context.facts.systemd
        ? null
        : await output(context, ['timedatectl', 'show', '-p', 'NTP', '-p', 'NTPSynchronized']);
    if (ran !== null && ran.code === 0) {
      const isSynchronized = /^NTPSynchronized=yes$/m.test(ran.text);
      seen.push(isSynchronized ? 'synchronized' : 'not synchronized');
      if (!isSynchronized) {
        findings.push({
          id: 'clock-not-synchronized',
          severity: 'warning',
          what: 'the clock is not kept right',
          measured: `timedatectl: ${/^NTP=yes$/m.test(ran.text) ? 'the service is on, but has had no answer' : 'no service is on'}`,
          todo: 'apt-get install systemd-timesyncd && timedatectl set-ntp true; UDP 123 must get out',
        });
      }
    }
    return seen.length === 0
      ? { skipped: 'no systemd to ask, no other clock to compare with' }
      : { findings, seen: seen.join(', ') };
  },
};
