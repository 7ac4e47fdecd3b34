import { doctorLimits } from '../../../runtime/contract/limits.ts';
import type { Finding } from '../../mysql/doctor/finding.ts';
import { shell, type MachineCheck } from '../check.ts';

const look = `
[ -d "$1" ] || { echo none; exit 0; }
[ -r "$1" ] || { echo closed; exit 0; }
date +%s
for app in "$1"/*/; do
  [ -d "$app" ] || continue
  newest=$(find "$app" -type f ! -name '*.tmp' ! -name '.*' -printf '%T@ %s\\n' | sort -n | tail -n 1)
  echo "$(basename "$app") \${newest:-none}"
done`;

/** Whether there are backups of every app's database, lately, and with something in them. */
export const backupsCheck: MachineCheck = {
  id: 'backups',
  async check(context) {
    const folder = context.places.backups;
    const expected = context.wishes !== null && context.wishes.database !== 'none';
    const text = (await shell(context, look, folder)).trim();
    if (text === 'closed') return { skipped: 'only root may look at the backups' };
    const backups = readBackups(text);
    if (backups.length === 0) {
      return { skipped: expected ? 'no app has had a backup yet' : 'no backups are kept here' };
    }
    const oldest = Math.max(...backups.map(({ hours }) => hours ?? Infinity));
    return {
      findings: judgeBackups(backups, folder),
      seen: `${backups.length} apps, the oldest of their newest ${Math.round(oldest)} h`,
    };
  },
};

export interface Backup {
  app: string;
  /** Age of the newest; null: the folder is empty. */
  hours: number | null;
  bytes: number;
}

/** Reads the time now, then a line for each app: its name, time and size of the newest file. */
export function readBackups(text: string): Backup[] {
  const [now = '', ...lines] = text.split('\n');
  if (!/^\d+$/.test(now)) return [];
  return lines.flatMap((line) => {
    const [app, time = 'none', bytes = '0'] = line.split(' ');
    if (app === undefined || app === '') return [];
    return [{ app, hours: time === 'none' ? null : (Number(now) - Number(time)) / 3_600, bytes: Number(bytes) }];
  });
}

export function judgeBackups(backups: readonly Backup[], folder: string): Finding[] {
  const todo = 'systemctl status fnrun-backup.timer; journalctl -u fnrun-backup; by hand: fnrun backup APP';
  return backups.flatMap(({ app, hours, bytes }): Finding[] => {
    if (hours === null) {
      return [
        {
          id: 'backup-missing',
          severity: 'warning',
          what: `there is no backup of ${app}`,
          measured: `${folder}/${app} is empty`,
          todo,
        },
      ];
    }
    if (bytes === 0) {
      return [
        {
          id: 'backup-empty',
          severity: 'critical',
          what: `the newest backup of ${app} has nothing in it`,
          measured: `0 bytes, ${Math.round(hours)} h old`,
          todo,
        },
      ];
    }
    if (hours <= doctorLimits.backupHours) return [];
    const severity = hours > doctorLimits.backupHours * 4 ? 'critical' : 'warning';
    return [
      {
        id: 'backup-old',
        severity,
        what: `${app} has had no backup lately`,
        measured: `the newest in ${folder}/${app} is ${Math.round(hours)} h old`,
        todo,
      },
    ];
  });
}
