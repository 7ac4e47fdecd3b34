import { serviceLimits } from '../../runtime/contract/limits.ts';

/** All that the unit of the server is made from; paths are absolute. */
export interface ServiceFacts {
  home: string;
  user: string;
  /** The program and its first arguments, as they are to be run: Node and the launcher. */
  program: readonly string[];
  /** Whether each app has a user of its own: `appUsers` of config.json. @default true */
  appUsers?: boolean;
}

/** One line of a unit, as data. */
export interface UnitSetting {
  name: string;
  /** Several words stand between spaces, each quoted as it needs. */
  value: readonly (string | { readonly text: string })[];
  reason?: string;
}

/** A setting that hardens other services and would break this one. */
export interface UnitLeftOut {
  leftOut: string;
  reason: string;
}

export interface UnitSection {
  name: string;
  lines: readonly (UnitSetting | UnitLeftOut)[];
}

/** Where StateDirectory= puts a folder of its name. */
const stateRoot = '/var/lib/';

/** The unit of `fnrun serve`. */
export function planUnit(facts: ServiceFacts): UnitSection[] {
  return [
    {
      name: 'Unit',
      lines: [
        set('Description', ['fnrun']),
        set('After', ['network.target', 'mariadb.service', 'mysql.service'], 'release commands may want the database'),
        set('RequiresMountsFor', [{ text: facts.home }], 'the home may be a disk of its own'),
        set('StartLimitIntervalSec', ['0'], 'tries again for ever: a full disk is emptied at some time'),
      ],
    },
    { name: 'Service', lines: [...running(facts), ...limits(), ...files(facts), ...hardening(facts)] },
    { name: 'Install', lines: [set('WantedBy', ['multi-user.target'], 'starts with the machine')] },
  ];
}

function running({ program, home, user }: ServiceFacts): UnitSetting[] {
  return [
    set('Type', ['exec'], 'systemctl start fails where the program cannot be run at all'),
    set(
      'ExecStart',
      [...program.map((text) => ({ text })), 'serve', '--home', { text: home }, '--listen', 'none', '--take-over'],
      'no gateway: nginx reaches each app by its socket; a server that runs already is replaced without a request lost',
    ),
    set('User', [user]),
    set('Group', [user], "nginx's user belongs to it too, and so reaches the sockets and the files of public/"),
    set('Restart', ['always'], 'apps are held by their sockets meanwhile only if it is short'),
    set('RestartSec', ['1s']),
    set(
      'RestartPreventExitStatus',
      [String(serviceLimits.replacedExitCode)],
      'a server that another one has replaced: started again, it would take over in its turn',
    ),
    set('SuccessExitStatus', [String(serviceLimits.replacedExitCode)]),
    set(
      'KillMode',
      ['mixed'],
      'the server is told to stop and stops the apps, whose requests it lets finish; the rest is killed',
    ),
    set('TimeoutStopSec', [`${serviceLimits.stopSeconds}s`], 'longer than its own deadline for that'),
  ];
}

function limits(): UnitSetting[] {
  return [
    set(
      'Delegate',
      ['cpu', 'io', 'memory', 'pids'],
      'a cgroup of its own, below which it makes one for each app: the kernel then holds the limits of apps and builds',
    ),
    set(
      'OOMPolicy',
      ['continue'],
      'an app that is killed for its memory is one app; the default stops the whole service',
    ),
    set('TasksMax', [String(serviceLimits.tasks)], 'a Node process has 7 threads at idle, an app up to some hundred'),
    set(
      'LimitNOFILE',
      [String(serviceLimits.openFiles)],
      'each connection passes through the server; 1024 is few for that',
    ),
    set('LimitCORE', ['0'], 'the memory of an app holds its secrets'),
  ];
}

function files({ home, appUsers = true }: ServiceFacts): (UnitSetting | UnitLeftOut)[] {
  const name = home.startsWith(stateRoot) ? home.slice(stateRoot.length) : '';
  const isState = /^[\w.-]+$/.test(name);
  return [
    ...(isState
      ? [
          set('StateDirectory', [name], 'the home: made if need be, and the one place that it may write to'),
          appUsers
            ? set('StateDirectoryMode', ['0751'], 'the users of apps pass through to what is theirs, and list nothing')
            : set('StateDirectoryMode', ['0750'], 'nobody but its group enters'),
        ]
      : [set('ReadWritePaths', [{ text: home }], 'the home: the one place that it may write to; it must be there')]),
    set('UMask', ['0027'], 'the group may read what it writes, others nothing'),
    set('ProtectSystem', ['strict'], 'all else is read-only'),
    set('PrivateTmp', ['yes'], 'a /tmp of its own'),
    set('PrivateMounts', ['yes'], 'what it mounts, it alone sees'),
    /^\/(home|root|run\/user)(\/|$)/.test(home)
      ? { leftOut: 'ProtectHome', reason: 'the home is below it' }
      : set('ProtectHome', ['yes'], 'nothing of it is in /home'),
  ];
}

/** Each was checked against what Node and the jail of builds (bubblewrap in a user namespace) need. */
function hardening({ appUsers = true }: ServiceFacts): (UnitSetting | UnitLeftOut)[] {
  return [
    set(
      'NoNewPrivileges',
      ['yes'],
      'no setuid program gives anything; bubblewrap is none on Debian and Ubuntu and uses a user namespace',
    ),
    ...capabilities(appUsers),
    set('PrivateDevices', ['yes'], 'no disk, no memory; /dev/null and its like stay'),
    set('DevicePolicy', ['closed']),
    set('ProtectClock', ['yes']),
    set('ProtectKernelModules', ['yes']),
    set('LockPersonality', ['yes']),
    set('RestrictRealtime', ['yes'], 'no thread goes before all others; going behind them (nice) is not touched'),
    set('RemoveIPC', ['yes']),
    set('KeyringMode', ['private']),
    set(
      'RestrictAddressFamilies',
      ['AF_UNIX', 'AF_INET', 'AF_INET6', 'AF_NETLINK'],
      'handlers call others; netlink tells Node the interfaces and brings up the loopback of a jail',
    ),
    set('SystemCallArchitectures', ['native']),
    set(
      'SystemCallFilter',
      ['~@clock', '@cpu-emulation', '@debug', '@module', '@obsolete', '@raw-io', '@reboot', '@swap'],
      'mount and the namespaces stay: the jail of builds is made of them',
    ),
    set('SystemCallErrorNumber', ['EPERM'], 'a program that tries one hears no, instead of dying'),
    { leftOut: 'MemoryDenyWriteExecute', reason: 'V8 writes the machine code that it runs: Node ends at once' },
    {
      leftOut: 'ProcSubset=pid',
      reason: 'hides /proc/cpuinfo, meminfo and the like: Node counts no CPUs, and apps are watched by /proc',
    },
    {
      leftOut: 'ProtectKernelTunables and ProtectKernelLogs',
      reason:
        'they cover parts of /proc, and then the kernel lets nobody mount a fresh /proc in a user namespace: builds would lose their jail. Without a capability nothing there can be written anyway',
    },
    {
      leftOut: 'ProtectHostname',
      reason:
        'since systemd 257 it covers parts of /proc too (see above). Without a capability nobody sets the name of the machine anyway',
    },
    {
      leftOut: 'RestrictSUIDSGID',
      reason:
        'it refuses openat2(), without which bubblewrap 0.12 makes no jail. With NoNewPrivileges no such file lends anything to a program of this unit',
    },
    {
      leftOut: 'ProtectProc',
      reason: 'builds and apps are watched by /proc, and those in a user namespace may be hidden by it',
    },
    { leftOut: 'ProtectControlGroups', reason: 'the groups of the apps are made there' },
    { leftOut: 'RestrictNamespaces', reason: 'the jail of builds is made of namespaces' },
    { leftOut: 'PrivateUsers', reason: 'the owner of the sockets and files must be the one that nginx and ssh see' },
    { leftOut: 'PrivateNetwork and IPAddressDeny', reason: 'handlers call others; npm gets packages' },
    { leftOut: 'LimitAS', reason: 'V8 reserves address space by gigabytes: below 8 GB workers do not start' },
  ];
}

function capabilities(appUsers: boolean): UnitSetting[] {
  if (!appUsers) {
    return [
      set('CapabilityBoundingSet', [], 'no capability: nginx has the ports below 1024'),
      set('AmbientCapabilities', []),
    ];
  }
  const needed = ['CAP_SETUID', 'CAP_SETGID', 'CAP_KILL'];
  return [
    set(
      'CapabilityBoundingSet',
      needed,
      'to start each app as its own user and to end it; the server gives them to nothing that it starts',
    ),
    set('AmbientCapabilities', needed),
  ];
}

/** One setting. */
export function set(name: string, value: UnitSetting['value'], reason?: string): UnitSetting {
  return { name, value, ...(reason !== undefined && { reason }) };
}
