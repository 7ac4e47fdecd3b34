import { spawn } from 'node:child_process';
import { appLimits, deployLimits } from '../contract/limits.ts';
import type { AppLimits } from '../contract/app-limits.ts';
import { readHostLines } from './host-output.ts';
import { freezeTree, killRest } from './process-tree.ts';
import { exceeded, ProcessWatch } from './process-watch.ts';

/** A command of an app that is not one of its handlers. */
export interface CommandOptions {
  /** For /bin/sh. */
  command: string;
  cwd: string;
  /** All of it: nothing of the daemon's own environment is added. */
  env: Record<string, string>;
  limits: AppLimits;
  timeoutMs: number;
  /** Ends the command. */
  signal: AbortSignal;
  onLine: (line: string) => void;
}

/** Runs a command in a session of its own, with all that it starts. Resolves with why it failed, or null. */
export async function runCommand(options: CommandOptions): Promise<string | null> {
  const { command, cwd, env, limits, timeoutMs, signal, onLine } = options;
  if (signal.aborted) return 'the server is stopping';
  const script = `ulimit -n "$1" 2>/dev/null\nexec /bin/sh -c "$2"`;
  const child = spawn('/bin/sh', ['-c', script, 'sh', String(limits.openFiles), command], {
    cwd,
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
    judge: (use) => exceeded(use, { ...limits, processes: Math.max(limits.processes, appLimits.commandProcesses) }),
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
    return why ?? end;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    watch.stop();
    await killRest(tree);
  }
}
