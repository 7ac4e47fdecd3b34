import type { Finding } from '../../mysql/doctor/finding.ts';
import { shell, type MachineCheck } from '../check.ts';

const look = `
uname -r
cat /run/reboot-required.pkgs 2>/dev/null | sort -u | tr '\\n' ' '; echo
[ -e /run/reboot-required ] && echo asked || echo
ls -1 /boot/vmlinuz-* 2>/dev/null | sed s,.*/vmlinuz-,, | sort -V | tail -n 1
`;

// A library that was replaced is still mapped as "(deleted)" by who started before. Names of processes, one a line.
const stale = `
for maps in /proc/[0-9]*/maps; do
  grep -qE ' /(usr/)?lib/.*\\.so[^ ]* \\(deleted\\)$' "$maps" 2>/dev/null && cat "\${maps%/maps}/comm"
done | sort | uniq -c | sort -rn | head -n 8; exit 0`;

/** Whether something that was updated still runs as it was. */
export const rebootCheck: MachineCheck = {
  id: 'reboot',
  async check(context) {
    if (context.facts.container) return { skipped: 'a container has no kernel of its own' };
    const [running = '', packages = '', asked = '', newest = ''] = (await shell(context, look)).split('\n');
    const findings: Finding[] = [];
    const isOlder = newest !== '' && running !== newest && sameFlavour(running, newest);
    if (asked !== '' || isOlder) {
      const why = [
        ...(isOlder ? [`kernel ${running} runs, ${newest} is installed`] : []),
        ...(asked === '' ? [] : [`asked for by ${packages.trim() || 'a package'}`]),
      ];
      findings.push({
        id: 'reboot-required',
        severity: 'warning',
        what: 'the machine has to be restarted for its updates to work',
        measured: why.join('; '),
        todo: 'reboot at a quiet time; apps come back by themselves',
      });
    }
    const programs = (await shell(context, stale)).trim();
    if (programs !== '') {
      findings.push({
        id: 'old-libraries',
        severity: 'warning',
        what: 'programs run with libraries that have been updated since they started',
        measured: `/proc/*/maps: ${programs
          .split('\n')
          .map((line) => line.trim().replace(/^\d+ /, ''))
          .join(', ')}`,
        todo: 'restart them (systemctl restart NAME), or reboot',
      });
    }
    return { findings, seen: `kernel ${running}` };
  },
};

/** Another flavour beside the running one (cloud and generic, say) is no newer kernel. */
function sameFlavour(a: string, b: string): boolean {
  const flavour = (release: string): string => release.replace(/^[\d.]+(-\d+)*(\+deb\d+u?\d*)?/, '');
  return flavour(a) === flavour(b);
}
