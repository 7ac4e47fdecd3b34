import { doctorLimits } from '../../../runtime/contract/limits.ts';
import type { Finding } from '../../mysql/doctor/finding.ts';
import { output, shell, type MachineCheck } from '../check.ts';

/** Updates that wait, as far as apt knows, and whether it still hears of any. */
export const updatesCheck: MachineCheck = {
  id: 'updates',
  async check(context) {
    const ran = await output(context, ['apt-get', '-s', '-o', 'Debug::NoLocking=1', '-q', 'dist-upgrade']);
    if (ran === null) return { skipped: 'no apt' };
    if (ran.code !== 0) throw new Error(`apt-get -s dist-upgrade: ${ran.errors}`);
    const { security, all } = readUpgrades(ran.text);
    const age = await shell(context, 'stat -c %Y /var/lib/apt/lists/* 2>/dev/null | sort -n | tail -n 1; date +%s');
    const [updated, now] = age.trim().split('\n').map(Number);
    const days = now === undefined || updated === undefined ? null : Math.floor((now - updated) / 86_400);
    const findings: Finding[] = [];
    if (security.length > 0) {
      findings.push({
        id: 'security-updates',
        severity: 'warning',
        what: `${security.length} security ${security.length === 1 ? 'update waits' : 'updates wait'}`,
        measured: `apt-get -s dist-upgrade: ${some(security)}`,
        todo: 'apt-get update && apt-get upgrade; unattended-upgrades does it nightly',
      });
    }
    if (days === null || days >= doctorLimits.aptListsDays) {
      findings.push({
        id: 'apt-lists-old',
        severity: 'warning',
        what: 'apt has not asked for updates lately: it cannot know of any',
        measured: days === null ? 'there are no lists' : `its lists are ${days} days old`,
        todo: 'apt-get update; systemctl status apt-daily.timer',
      });
    }
    return { findings, seen: `${security.length} security updates, ${all.length - security.length} others` };
  },
};

/** What `apt-get -s` would install anew. */
export function readUpgrades(text: string): { security: string[]; all: string[] } {
  // Inst nginx [1.22.1-9+deb12u9] (1.22.1-9+deb12u11 Debian-Security:12/oldstable-security [amd64])
  const lines = [...text.matchAll(/^Inst (\S+) \[[^\]]*\] \((.*)\)/gm)];
  const all = lines.map(([, name = '']) => name);
  const isSecurity = (from: string): boolean => /-security\b|Debian-Security:/i.test(from);
  return { all, security: lines.flatMap(([, name = '', from = '']) => (isSecurity(from) ? [name] : [])) };
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, doctorLimits.namesShown).join(', ');
  return names.length > doctorLimits.namesShown ? `${shown} and ${names.length - doctorLimits.namesShown} more` : shown;
}
