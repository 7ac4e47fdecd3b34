/** Where things are on a server that setup made. */
export const layout = {
  /** Folders of fnrun, one a version and content; root's. */
  programs: '/opt/fnrun',
  /** A link to the one that runs, and to the one before. */
  current: '/opt/fnrun/current',
  previous: '/opt/fnrun/previous',
  /** What people and other programs call. */
  command: '/usr/local/bin/fnrun',
  home: '/var/lib/fnrun',
  user: 'fnrun',
  unit: 'fnrun.service',
} as const;

/** fnrun as a unit, a key or a timer calls it: whatever version is current. */
export const currentProgram: readonly string[] = [`${layout.current}/bin/node`, `${layout.current}/cli/fnrun.js`];

/** That the unit or config.json was written and the server that runs does not go by it yet; gone after a boot, when it does. */
export const serviceNote = '/run/fnrun-setup/service';
