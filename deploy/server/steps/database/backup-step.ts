import { planBackupTimer, planBackupUnit } from '../../../systemd/backup-units.ts';
import { renderUnit } from '../../../systemd/render-unit.ts';
import { backupsFolder } from '../../../backup/nightly.ts';
import type { Wishes } from '../../facts.ts';
import { checkFile, writeFile, type WantedFile } from '../../files.ts';
import type { Machine } from '../../machine.ts';
import { must } from '../../must.ts';
import type { Change, Step } from '../../step.ts';
import { checkUnit, enableUnit } from '../../units.ts';

/** Who may read backups beside root: the server's own user, for restores. nginx's is in the group fnrun, and so that one does not do. */
const group = 'fnrun-backup';
const timer = 'fnrun-backup.timer';

const filesOf = ({ backupDays: keepDays }: Wishes): readonly WantedFile[] => [
  { path: '/etc/systemd/system/fnrun-backup.service', text: renderUnit(planBackupUnit({ keepDays })) },
  { path: `/etc/systemd/system/${timer}`, text: renderUnit(planBackupTimer()) },
];

/** Backups of all apps and of the server, every night. */
export const backupStep: Step = {
  id: 'backup',
  title: 'databases and state are backed up at night',
  check: async ({ machine, wishes }) => [
    ...(await checkFolder(machine)),
    ...(await Promise.all(filesOf(wishes).map((file) => checkFile(machine, file)))).filter((change) => change !== null),
    ...(await checkUnit(machine, timer)),
  ],
  apply: async ({ machine, wishes }) => {
    await must(machine, ['groupadd', '--system', '--force', group]);
    await must(machine, ['usermod', '--append', '--groups', group, 'fnrun']);
    // The letter s: what is made in it is of the same group.
    await must(machine, ['install', '-d', '-o', 'root', '-g', group, '-m', '2750', backupsFolder]);
    for (const file of filesOf(wishes)) await writeFile(machine, file);
    await must(machine, ['systemctl', 'daemon-reload']);
    await enableUnit(machine, timer);
  },
};

async function checkFolder(machine: Machine): Promise<Change[]> {
  const { stdout: groups } = await machine.run(['id', '-nG', '--', 'fnrun']);
  const { stdout: rights } = await machine.run(['stat', '-c', '%a %U:%G', '--', backupsFolder]);
  const changes: Change[] = [];
  if (!groups.trim().split(' ').includes(group)) {
    changes.push({ subject: group, what: `let the user fnrun read backups, by the group ${group}` });
  }
  if (rights.trim() !== `2750 root:${group}`) {
    changes.push({ subject: backupsFolder, what: `let ${backupsFolder} be root's, and be read by ${group}` });
  }
  return changes;
}
