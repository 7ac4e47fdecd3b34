import { spawn } from 'node:child_process';
import { appLimits, deployLimits } from '../contract/limits.ts';
import type { AppLimits } from '../contract/app-limits.ts';
import type { AppUser } from './app-user.ts';
import type { HostCgroup } from './cgroup.ts';
import { readHostLines } from './host-output.ts';
import { freezeTree, killRest } from './process-tree.ts';
import { withoutCapabilities } from './privileges.ts';
import { exceeded, ProcessWatch } from './process-watch.ts';
import { bounded } from './spawn-host.ts';

/** A command of an app that is not one of its handlers. */
export interface CommandOptions {
  /** For /bin/sh. */
  command: string;
  cwd: string;
  /** All of it: nothing of the daemon's own environment is added. */
  env: Record<string, string>;
  limits: AppLimits;
  /** Whose command it is, and the temporary folder that it gets; null: the daemon's user. */
  own: { user: AppUser; temporary: string } | null;
  /** Where the kernel holds it to its limits; removed afterwards. */
  cgroup: HostCgroup | null;
  timeoutMs: number;
  /** Ends the command. */
  signal: AbortSignal;
  onLine: (line: string) => void;
}

/** What a command of an app with `limits` may use. */
export function commandLimits(limits: AppLimits): AppLimits {
  return { ...limits, processes: Math.max(limits.processes, appLimits.commandProcesses) };
}

/** Runs a command in a session of its own, with all that it starts. Resolves with why it failed, or null. */
export async function runCommand(options: CommandOptions): Promise<string | null> {
  const { command, cwd, env, limits, own, cgroup, timeoutMs, signal, onLine } = options;
  if (signal.aborted) return 'the server is stopping';
  const shell = ['/bin/sh', '-c', command];
  const held = own === null ? withoutCapabilities(shell) : own.user.command(shell, { ...own, cwd });
  const [program = '', ...args] = bounded(held, { openFiles: limits.openFiles, cgroup });
  const child = spawn(program, args, {
    // The folder may be one that only the app's user enters.
    cwd: own === null ? cwd : '/',
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid ?? 0;
  let why: string | null = null;
  const tree = { pid, descendants: () => watch.descendants() };
  const kill = (reason: string): void => {
    why ??= reason;
    freezeTree(tree);
    child.kill('SIGKILL');
    void killRest(tree);
  };
  const watch = new ProcessWatch({
    pid,
    judge: (use) => exceeded(use, limits),
    children: true,
    onExceeded: kill,
  });
  // Asked first, so that a migration can end its transaction.
  const timer = setTimeout(() => {
    why = `it ran longer than ${timeoutMs / 1000} s`;
    child.kill('SIGTERM');
    setTimeout(() => kill(why!), deployLimits.releaseCommandGraceMs).unref();
  }, timeoutMs);
  const onAbort = (): void => kill('the server is stopping');
  signal.addEventListener('abort', onAbort, { once: true });
  for (const stream of [child.stdout, child.stderr]) readHostLines(stream, onLine);
  try {
    const end = await new Promise<string | null>((resolve) => {
      child.once('error', (error) => resolve(`it cannot be started: ${error.message}`));
      child.once('exit', (code, by) => {
        if (code !== 0) resolve(by === null ? `it ended with exit code ${code}` : `it ended with ${by}`);
        // Output that a child of it holds open is not waited for.
        else resolve(null);
      });
    });
    const memory =
      cgroup?.outOfMemory === true ? `it reached its memory limit (limits.memoryMb = ${limits.memoryMb})` : null;
    return why ?? (end === null ? null : (memory ?? end));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    watch.stop();
    cgroup?.kill();
    await killRest(tree);
    await cgroup?.remove();
  }
}
