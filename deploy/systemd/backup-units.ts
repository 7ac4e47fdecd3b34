import type { UnitSection } from './unit.ts';

/** The unit that backs up all apps and the server. */
export function planBackupUnit({
  program = ['/usr/local/bin/fnrun'],
  keepDays,
}: {
  program?: readonly string[];
  keepDays: number;
}): UnitSection[] {
  return [
    {
      name: 'Unit',
      lines: [
        { name: 'Description', value: ['fnrun:', 'backups', 'of', 'databases', 'and', 'state'] },
        { name: 'After', value: ['mariadb.service', 'mysql.service', 'fnrun.service'] },
      ],
    },
    {
      name: 'Service',
      lines: [
        { name: 'Type', value: ['oneshot'] },
        {
          name: 'ExecStart',
          value: [
            ...program.map((text) => ({ text })),
            'backup',
            '--all',
            '--home',
            '/var/lib/fnrun',
            '--keep-days',
            String(keepDays),
          ],
          reason: 'as root, who reads all databases by the unix socket without a password',
        },
        { name: 'UMask', value: ['0027'], reason: 'the group of the folder may read what it writes, others nothing' },
        { name: 'Nice', value: ['10'], reason: 'apps and database come first' },
        { name: 'IOSchedulingClass', value: ['idle'], reason: 'where the disk has a scheduler that heeds it' },
        { name: 'TimeoutStartSec', value: ['12h'] },
        { name: 'ProtectSystem', value: ['strict'], reason: 'all is read-only but what stands below' },
        {
          name: 'ReadWritePaths',
          value: ['/var/backups/fnrun', '/var/lib/fnrun'],
          reason: 'SQLite needs to write beside a database that it reads: its lock and its journal',
        },
        { name: 'PrivateTmp', value: ['yes'] },
        { name: 'PrivateDevices', value: ['yes'] },
        { name: 'PrivateNetwork', value: ['yes'], reason: 'the database is reached by its socket' },
        { name: 'ProtectHome', value: ['yes'] },
        { name: 'ProtectKernelModules', value: ['yes'] },
        { name: 'ProtectKernelTunables', value: ['yes'] },
        { name: 'ProtectControlGroups', value: ['yes'] },
        { name: 'NoNewPrivileges', value: ['yes'] },
        { leftOut: 'RestrictSUIDSGID', reason: 'folders for new apps inherit the group of the one above' },
        {
          name: 'CapabilityBoundingSet',
          value: ['CAP_DAC_OVERRIDE', 'CAP_DAC_READ_SEARCH', 'CAP_CHOWN', 'CAP_FOWNER'],
          reason: "it reads the home, which is another user's, and what SQLite makes there stays that user's",
        },
        { leftOut: 'MemoryDenyWriteExecute', reason: 'V8 writes the machine code that it runs' },
      ],
    },
  ];
}

/** Every night, at another minute on each machine; at once when the machine was off then. */
export function planBackupTimer(): UnitSection[] {
  return [
    { name: 'Unit', lines: [{ name: 'Description', value: ['fnrun:', 'backups', 'at', 'night'] }] },
    {
      name: 'Timer',
      lines: [
        { name: 'OnCalendar', value: ['*-*-*', '02:30'] },
        { name: 'RandomizedDelaySec', value: ['45min'], reason: 'machines that share a disk do not all begin at once' },
        { name: 'FixedRandomDelay', value: ['yes'] },
        { name: 'Persistent', value: ['yes'], reason: 'a night that was missed is made up for' },
      ],
    },
    { name: 'Install', lines: [{ name: 'WantedBy', value: ['timers.target'] }] },
  ];
}
