import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';

const running = new Set<ChildProcess>();

/**
 * Starts a server as the system starts a service: in a session of its own. The kernel shares the CPUs out among sessions before it does
 * among their threads (autogroup), so that of two servers behind one nginx the one in nginx's session is woken otherwise than
 * the one in another. What still runs when this process ends is ended with it.
 */
export function spawnService(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(command, args, { ...options, detached: true });
  running.add(child);
  child.once('exit', () => running.delete(child)).once('error', () => running.delete(child));
  return child;
}

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
