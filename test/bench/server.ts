import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { eventually, within } from '../support/deadline.ts';
import { fetchFrom, targetOf } from '../support/http.ts';
import { spawnService } from './service.ts';

/** A server under measurement, in a process of its own. */
export interface BenchServer extends AsyncDisposable {
  pid: number;
  /** With a slash at its end; empty when it listens on a unix socket. */
  url: string;
}

/** One of our own programs below peers/, which do as they are told on standard input. */
export interface OwnServer extends BenchServer {
  /** Sends a line; resolves with the next line that comes back. */
  ask: (line: string) => Promise<string>;
}

const startMs = 30_000;

/** Starts `peers/<name>`, which prints its URL in its first line and ends with its standard input. */
export async function startOwn(name: string, args: readonly string[] = []): Promise<OwnServer> {
  const child = spawnService(process.execPath, [join(import.meta.dirname, 'peers', name), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  }) as ChildProcessByStdio<Writable, Readable, null>;
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (what: string): Promise<string> => {
    const { value, done } = await within(startMs, `${name}: ${what}`, lines.next());
    if (done === true) throw new Error(`${name}: ended (${what})`);
    return value as string;
  };
  return {
    pid: child.pid!,
    url: await nextLine('start').catch((error: unknown) => {
      child.kill('SIGKILL');
      throw error;
    }),
    ask: (line) => {
      child.stdin.write(`${line}\n`);
      return nextLine(line);
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await within(20_000, `ending ${name}`, exited).catch(() => child.kill('SIGKILL'));
    },
  };
}

/** Starts somebody else's program on a port that is free now, and waits until it answers. */
export async function startForeign(
  command: string,
  options: { args: (port: number) => readonly string[]; cwd: string; env?: (port: number) => NodeJS.ProcessEnv },
): Promise<BenchServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const child = spawnService(command, options.args(port), {
    cwd: options.cwd,
    env: { PATH: process.env['PATH'], HOME: options.cwd, NODE_ENV: 'production', ...options.env?.(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  }) as ChildProcessByStdio<null, Readable, Readable>;
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2_000)));
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`ended with ${signal ?? code}`));
  });
  const ready = eventually(
    async () => (await fetchFrom(targetOf(url), { path: '/', method: 'POST', body: '' })).status,
    {
      deadlineMs: startMs,
    },
  );
  const failed = await Promise.race([ready.then(() => null), exited]).catch((error: Error) => error.message);
  if (failed !== null) {
    child.kill('SIGKILL');
    throw new Error(`${failed} ${said}`.trim());
  }
  return {
    pid: child.pid!,
    url,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await within(2_000, 'its end', exited).catch(() => child.kill('SIGKILL'));
    },
  };
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
