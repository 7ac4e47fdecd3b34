import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { within } from '../support/deadline.ts';

/** A server under measurement, in a process of its own. */
export interface BenchServer extends AsyncDisposable {
  pid: number;
  url: string;
}

/** Starts `peers/<name>`, which prints its URL in its first line and ends with its standard input. */
export async function startServer(name: string, args: readonly string[] = []): Promise<BenchServer> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'peers', name), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const [url] = (await within(15_000, `starting ${name}`, once(lines, 'line'))) as [string];
  return {
    pid: child.pid!,
    url,
    async [Symbol.asyncDispose]() {
      const exit = once(child, 'exit');
      child.stdin.end();
      await within(20_000, `ending ${name}`, exit).catch(() => child.kill('SIGKILL'));
    },
  };
}
