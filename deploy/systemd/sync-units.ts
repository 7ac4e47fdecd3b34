import { set, type UnitLeftOut, type UnitSection, type UnitSetting } from './unit.ts';

/** All that the units of root's side (`fnrun server sync`) are made from; paths are absolute. */
export interface SyncFacts {
  /** The program and its first arguments. */
  program: readonly string[];
  /** The file that the daemon writes to when root shall look: `<home>/run/sync`. */
  requestFile: string;
  /** What it may write to, and nothing else; all of it is there. */
  writable: readonly string[];
}

/** A unit and the name of its file. */
export interface NamedUnit {
  name: string;
  sections: UnitSection[];
}

/** `fnrun-sync.service`, the path that starts it when the daemon asks, and the timer that renews certificates. */
export function planSyncUnits(facts: SyncFacts): NamedUnit[] {
  return [
    { name: 'fnrun-sync.service', sections: service(facts) },
    { name: 'fnrun-sync.path', sections: path(facts) },
    { name: 'fnrun-sync.timer', sections: timer() },
  ];
}

function service({ program, writable }: SyncFacts): UnitSection[] {
  return [
    {
      name: 'Unit',
      lines: [
        set('Description', ['fnrun: nginx, certificates and databases follow the apps']),
        set('After', ['fnrun.service', 'nginx.service', 'network-online.target']),
        set('Wants', ['network-online.target'], 'certificates are got over the network'),
        set('StartLimitIntervalSec', ['10s'], 'as often as the daemon asks; one that asks in a loop is stopped'),
        set('StartLimitBurst', ['20']),
      ],
    },
    {
      name: 'Service',
      lines: [
        set('Type', ['oneshot']),
        set('ExecStart', [...program.map((text) => ({ text })), 'server', 'sync'], 'no argument says what to do'),
        set('SuccessExitStatus', ['1'], 'what could not be done is told in run/sync.json: no reason for a failed unit'),
        set('TimeoutStartSec', ['20min'], 'certificates of many names; each has its own deadline'),
        set('Environment', ['NODE_USE_SYSTEM_CA=1'], 'a CA of your own with ACME is believed when the machine does'),
        ...sandbox(writable),
      ],
    },
  ];
}

function sandbox(writable: readonly string[]): (UnitSetting | UnitLeftOut)[] {
  return [
    set('UMask', ['0077']),
    set('ProtectSystem', ['strict'], 'all is read-only but what follows'),
    set(
      'ReadWritePaths',
      writable.map((text) => ({ text })),
    ),
    set('PrivateTmp', ['yes'], 'where nginx reads new files first'),
    set('ProtectHome', ['yes']),
    set('PrivateDevices', ['yes']),
    set('DevicePolicy', ['closed']),
    set('NoNewPrivileges', ['yes']),
    set(
      'CapabilityBoundingSet',
      ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_SETUID', 'CAP_SETGID'],
      "root, but for the rest of what root can: the daemon's socket, nginx's own check, the database's client",
    ),
    set('ProtectClock', ['yes']),
    set('ProtectHostname', ['yes']),
    set('ProtectKernelLogs', ['yes']),
    set('ProtectKernelModules', ['yes']),
    set('ProtectKernelTunables', ['yes']),
    set('ProtectControlGroups', ['yes']),
    set('LockPersonality', ['yes']),
    set('RestrictRealtime', ['yes']),
    set('RestrictSUIDSGID', ['yes']),
    set('RestrictNamespaces', ['yes']),
    set('RemoveIPC', ['yes']),
    set('KeyringMode', ['private']),
    set('RestrictAddressFamilies', ['AF_UNIX', 'AF_INET', 'AF_INET6', 'AF_NETLINK']),
    set('SystemCallArchitectures', ['native']),
    set('SystemCallFilter', ['@system-service']),
    set('SystemCallErrorNumber', ['EPERM']),
    { leftOut: 'MemoryDenyWriteExecute', reason: 'V8 writes the machine code that it runs' },
    { leftOut: 'PrivateNetwork', reason: 'the CA is asked' },
    { leftOut: 'ProtectProc and PrivatePIDs', reason: 'nginx is told to reload, and looked at while it does' },
  ];
}

function path({ requestFile }: SyncFacts): UnitSection[] {
  return [
    { name: 'Unit', lines: [set('Description', ['fnrun: the server asks root to look'])] },
    {
      name: 'Path',
      lines: [
        set('PathChanged', [{ text: requestFile }], 'written by the server, which has no rights of root'),
        set('Unit', ['fnrun-sync.service']),
      ],
    },
    { name: 'Install', lines: [set('WantedBy', ['multi-user.target'])] },
  ];
}

function timer(): UnitSection[] {
  return [
    { name: 'Unit', lines: [set('Description', ['fnrun: certificates are renewed in time'])] },
    {
      name: 'Timer',
      lines: [
        set('OnCalendar', ['hourly'], 'mostly nothing is due; what failed is tried again after its pause'),
        set('RandomizedDelaySec', ['30min'], 'not all servers ask the CA at the full hour'),
        set('Persistent', ['yes'], 'after a time without power, at once'),
        set('Unit', ['fnrun-sync.service']),
      ],
    },
    { name: 'Install', lines: [set('WantedBy', ['timers.target'])] },
  ];
}
