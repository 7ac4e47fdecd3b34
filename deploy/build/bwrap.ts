import type { JailView } from './places.ts';

/** What a command in a jail of bubblewrap gets. */
export interface JailOptions {
  view: JailView;
  /** Files and folders of the machine that it needs, read-only; `[from, to]` where they have another name inside. */
  programs: readonly (string | readonly [string, string])[];
  /** Symbolic links: `[target, path]`. */
  links: readonly (readonly [string, string])[];
  network: boolean;
  cwd: string;
  tmpBytes: number;
  privileges: Privileges;
}

/** How bubblewrap gives up what the daemon may do, the best one first. */
export type Privileges = 'user namespace, closed' | 'user namespace' | 'no capabilities';

const privilegeArguments: Record<Privileges, readonly string[]> = {
  // Nobody: even a daemon that runs as root builds as no root, and nothing in the jail can make itself one.
  'user namespace, closed': ['--unshare-user', '--disable-userns', '--uid', '65534', '--gid', '65534'],
  'user namespace': ['--unshare-user', '--uid', '65534', '--gid', '65534'],
  'no capabilities': ['--cap-drop', 'ALL'],
};

/**
 * Arguments of bwrap, without the command. Everything that is not named is not there: the root is an empty,
 * read-only folder. Later mounts cover earlier ones, so what an app has comes last. bwrap always sets
 * no_new_privs, and mounts without devices and set-user-ID.
 */
export function bwrapArguments(options: JailOptions): string[] {
  const { view, programs, links, network, cwd, tmpBytes, privileges } = options;
  return [
    privilegeArguments[privileges],
    ['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    network ? [] : ['--unshare-net'],
    // No --hostname: where a unit has ProtectHostname= (fnrun's own had it once) nobody may set one, in no namespace.
    ['--die-with-parent', '--new-session'],
    ['--proc', '/proc', '--dev', '/dev', '--size', String(tmpBytes), '--tmpfs', '/tmp'],
    programs.flatMap((each) => ['--ro-bind', ...(typeof each === 'string' ? [each, each] : each)]),
    links.flatMap(([target, path]) => ['--symlink', target, path]),
    view.writable.flatMap((path) => ['--bind', path, path]),
    view.readable.flatMap((path) => ['--ro-bind', path, path]),
    view.hiddenFolders.flatMap((path) => ['--perms', '0555', '--size', '4096', '--tmpfs', path, '--remount-ro', path]),
    view.hiddenFiles.flatMap((path) => ['--ro-bind', '/dev/null', path]),
    ['--remount-ro', '/', '--chdir', cwd, '--'],
  ].flat();
}
