import type { Finding } from '../../mysql/doctor/finding.ts';
import { output, shell, type MachineCheck } from '../check.ts';

/** Whether nginx runs, and would start again with the files that are there. */
export const nginxCheck: MachineCheck = {
  id: 'nginx',
  async check(context) {
    const running = (await shell(context, 'pgrep -x nginx >/dev/null 2>&1 && echo yes')).trim() === 'yes';
    if (context.wishes === null && !running) return { skipped: 'no nginx runs' };
    if (!context.facts.root) return { skipped: 'nginx -t wants root' };
    const ran = await output(context, ['nginx', '-t', '-q']);
    const findings: Finding[] = [];
    if (ran === null && context.wishes === null) return { skipped: 'no nginx' };
    if (ran === null || !running) {
      findings.push({
        id: 'nginx-not-running',
        severity: 'critical',
        what: ran === null ? 'there is no nginx' : 'nginx does not run: no app is reachable',
        measured: ran === null ? 'it is not installed' : 'no process of that name',
        todo: ran === null ? 'fnrun server setup' : 'systemctl start nginx; journalctl -u nginx -n 50',
      });
    }
    if (ran !== null && ran.code !== 0) {
      const words = ran.errors.split('\n').find((line) => line.includes('[emerg]')) ?? ran.errors;
      findings.push({
        id: 'nginx-configuration',
        // Where it is not ours it may well run with another file.
        severity: context.wishes === null ? 'note' : 'critical',
        what: 'nginx does not take its configuration: it would not start again',
        measured: `nginx -t: ${words.replace(/^.*\[emerg\] \S+: /, '').slice(0, 200)}`,
        todo: 'mend the file that it names, or fnrun server setup to have them written anew',
      });
    }
    return { findings, seen: 'runs, and takes its configuration' };
  },
};
