import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { hostLimits } from '../contract/limits.ts';
import type { HostArguments } from '../contract/ipc.ts';
import { entryPoint } from '../entry-points.ts';
import type { AppUser } from './app-user.ts';
import type { HostCgroup } from './cgroup.ts';
import type { LaunchPlan } from './launch-plan.ts';
import { permissionFlags } from './permission-flags.ts';
import { withoutCapabilities } from './privileges.ts';

/** Position of the log pipe among the child's file descriptors (3 is the IPC channel). */
export const logFd = 4;

/** What a host process is started with. */
export interface SpawnOptions {
  app: string;
  dev: boolean;
  plan: LaunchPlan;
  /** Further arguments of node. */
  execArgv: readonly string[];
  /** Folders with the app's own files; null: it may read any file. */
  readable: readonly string[] | null;
  cgroup: HostCgroup | null;
  /** Whose process it is, and the temporary folder that it gets; null: the daemon's user. */
  own: { user: AppUser; temporary: string } | null;
  /** How long the head of a request may take. */
  headTimeoutMs: number;
}

// POSIX shell, and gone with exec: the limit on open files holds from the first one on, and no instant of the
// process lies outside of its cgroup. A limit above the daemon's own cannot be set, and stays at that. No core files:
// they hold the app's secrets.
const wrapper = [
  'ulimit -c 0',
  'ulimit -n "$1" 2>/dev/null',
  'if [ -n "$2" ]; then echo $$ > "$2"; fi',
  'shift 2',
  'exec "$@"',
].join('\n');

/** The command line that gives `command` its limits and its cgroup before it begins. */
export function bounded(
  command: readonly string[],
  { openFiles, cgroup }: { openFiles: number; cgroup: HostCgroup | null },
): string[] {
  return ['/bin/sh', '-c', wrapper, 'sh', String(openFiles), cgroup?.procsFile ?? '', ...command];
}

/**
 * Starts an app host. It leads a session of its own, so that all it starts can be found and killed with it,
 * and a Ctrl-C in the daemon's terminal is the daemon's alone.
 */
export function spawnHost(options: SpawnOptions): ChildProcess {
  const { app, dev, plan, execArgv, readable, cgroup, own, headTimeoutMs } = options;
  const { limits, permissions } = plan;
  const { threads, memoryMb, logLinesPerSecond } = limits;
  const args: HostArguments = { app, dev, logFd, threads, memoryMb, logLinesPerSecond, headTimeoutMs };
  const node = [
    process.execPath,
    `--max-semi-space-size=${hostLimits.semiSpaceMb}`,
    ...(memoryMb >= hostLimits.roomyFromMb ? [`--min-semi-space-size=${hostLimits.semiSpaceMinMb}`] : []),
    ...permissionFlags(permissions, { readable, temporary: own?.temporary ?? null }),
    ...execArgv,
    entryPoint('runtime/host/main.cjs'),
    JSON.stringify(args),
  ];
  // It joins its cgroup as the daemon's user, to whom that belongs.
  const command = own === null ? withoutCapabilities(node) : own.user.command(node, own);
  const [program = '', ...rest] = bounded(command, { openFiles: limits.openFiles, cgroup });
  return spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
    serialization: 'json',
    detached: true,
    env: { ...hostEnv(app, own?.temporary ?? null), ...(memoryMb >= hostLimits.keepMemoryFromMb && keepMemory) },
  });
}

/** For glibc's malloc: else every response of 1 MiB gets fresh pages from the kernel, which costs more than to fill them. */
const keepMemory = {
  MALLOC_MMAP_THRESHOLD_: String(hostLimits.unkeptBufferBytes),
  MALLOC_TRIM_THRESHOLD_: String(hostLimits.keptBytes),
};

/** A host needs none of the daemon's environment, which may hold the operator's secrets. */
function hostEnv(app: string, temporary: string | null): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const key of ['PATH', 'TZ', 'LANG', 'NODE_EXTRA_CA_CERTS']) {
    if (process.env[key] !== undefined) env[key] = process.env[key];
  }
  return temporary === null ? env : { ...env, ...userEnv(app, temporary) };
}

/** What programs ask for that belongs to a user: this one has no name and no home of its own. */
export function userEnv(app: string, temporary: string): Record<string, string> {
  return { HOME: temporary, TMPDIR: temporary, USER: app, LOGNAME: app };
}
