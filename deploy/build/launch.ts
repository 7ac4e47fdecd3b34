import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { dirname } from 'node:path';
import { npmEnv } from '../../builder/dependencies/npm.ts';
import { buildLimits } from '../../runtime/contract/limits.ts';
import { withoutCapabilities } from '../../runtime/supervisor/privileges.ts';
import type { HostCgroup } from '../../runtime/supervisor/cgroup.ts';
import { jailNpmrc, userNpmrc } from './programs.ts';

// POSIX shell, and gone with exec, as for app hosts: the limits hold from the first instant on. No core files:
// they would be written where the process may write. What it makes, others may read: the app's user has to. The
// folders above let nobody else through.
const wrapper = [
  'umask 022',
  'ulimit -c 0',
  'ulimit -n "$1" 2>/dev/null',
  'if [ -n "$2" ]; then echo $$ > "$2"; fi',
  'shift 2',
  'exec "$@"',
].join('\n');

/** What a process of a build is started with. */
export interface LaunchOptions {
  command: readonly string[];
  env: NodeJS.ProcessEnv;
  cgroup: HostCgroup | null;
  cwd?: string;
  /** Whether it speaks with the daemon. */
  ipc: boolean;
}

/** Starts a process that leads a group of its own. Its output comes by pipes. */
export function launch({ command, env, cgroup, cwd, ipc }: LaunchOptions): ChildProcess {
  const args = [
    '-c',
    wrapper,
    'sh',
    String(buildLimits.openFiles),
    cgroup?.procsFile ?? '',
    ...withoutCapabilities(command),
  ];
  return spawn('/bin/sh', args, {
    stdio: ipc ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
    serialization: 'json',
    detached: true,
    env,
    ...(cwd !== undefined && { cwd }),
  });
}

/** The daemon's environment may hold its operator's secrets: no build gets more of it than this. */
export function cleanEnv(): NodeJS.ProcessEnv {
  const path = [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'];
  return { PATH: [...new Set(path)].join(':'), HOME: '/tmp', TMPDIR: '/tmp', ...picked(/^(?:TZ|LANG)$/) };
}

/** npm's configuration and proxies too, for the step that downloads; no scripts run in it. */
export function downloadEnv({ cache, closed }: { cache: string; closed: boolean }): NodeJS.ProcessEnv {
  const { npm_config_userconfig: _, ...config } = picked(
    /^(?:npm_config_.*|(?:https?|no|all)_proxy|NODE_EXTRA_CA_CERTS)$/i,
  );
  const npmrc = userNpmrc();
  const user = npmrc === null ? {} : { npm_config_userconfig: closed ? jailNpmrc : npmrc };
  return { ...cleanEnv(), ...config, ...user, npm_config_cache: cache };
}

/** For scripts of packages: nothing of the daemon's. */
export function scriptEnv({ cache }: { cache: string }): NodeJS.ProcessEnv {
  return { ...cleanEnv(), npm_config_cache: cache };
}

function picked(names: RegExp): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(npmEnv()).filter(([name]) => names.test(name)));
}
