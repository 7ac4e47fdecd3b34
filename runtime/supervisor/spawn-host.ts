import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { hostLimits } from '../contract/limits.ts';
import type { HostArguments } from '../contract/ipc.ts';
import { entryPoint } from '../entry-points.ts';
import type { HostCgroup } from './cgroup.ts';
import type { LaunchPlan } from './launch-plan.ts';
import { permissionFlags } from './permission-flags.ts';

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
  /** How long the head of a request may take. */
  headTimeoutMs: number;
}

// POSIX shell, and gone with exec: the limit on open files holds from the first one on, and no instant of the
// process lies outside of its cgroup. A limit above the daemon's own cannot be set, and stays at that.
const wrapper = ['ulimit -n "$1" 2>/dev/null', 'if [ -n "$2" ]; then echo $$ > "$2"; fi', 'shift 2', 'exec "$@"'].join(
  '\n',
);

/**
 * Starts an app host. It leads a session of its own, so that all it starts can be found and killed with it,
 * and a Ctrl-C in the daemon's terminal is the daemon's alone.
 */
export function spawnHost({ app, dev, plan, execArgv, readable, cgroup, headTimeoutMs }: SpawnOptions): ChildProcess {
  const { limits, permissions } = plan;
  const { threads, memoryMb, logLinesPerSecond } = limits;
  const own: HostArguments = { app, dev, logFd, threads, memoryMb, logLinesPerSecond, headTimeoutMs };
  const node = [
    process.execPath,
    `--max-semi-space-size=${hostLimits.semiSpaceMb}`,
    ...permissionFlags(permissions, readable),
    ...execArgv,
    entryPoint('runtime/host/main.js'),
    JSON.stringify(own),
  ];
  return spawn('/bin/sh', ['-c', wrapper, 'sh', String(limits.openFiles), cgroup?.procsFile ?? '', ...node], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
    serialization: 'json',
    detached: true,
    env: hostEnv(),
  });
}

/** A host needs none of the daemon's environment, which may hold the operator's secrets. */
function hostEnv(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const key of ['PATH', 'TZ', 'LANG', 'NODE_EXTRA_CA_CERTS']) {
    if (process.env[key] !== undefined) env[key] = process.env[key];
  }
  return env;
}
