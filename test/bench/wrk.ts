import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One run of the load generator. */
export interface WrkResult {
  requestsPerSecond: number;
  requests: number;
  /** Responses that were no 2xx or 3xx, and socket errors. */
  failures: number;
}

/** Drives `url` from a process of its own over kept-alive connections. */
export async function wrk(
  url: string,
  { connections = 32, seconds = 3, script }: { connections?: number; seconds?: number; script?: string } = {},
): Promise<WrkResult> {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, ...(script === undefined ? [] : ['-s', script]), url];
  const { stdout } = await run('wrk', args, { timeout: (seconds + 10) * 1000 });
  const number = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? 0);
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout)?.slice(1) ?? [];
  const socketErrors = sockets.reduce((sum, count) => sum + Number(count), 0);
  return {
    requestsPerSecond: number(/Requests\/sec:\s+([\d.]+)/),
    requests: number(/(\d+) requests in/),
    failures: number(/Non-2xx or 3xx responses: (\d+)/) + socketErrors,
  };
}

/** Installs the load generator when it is missing and we may. Throws with what to do otherwise. */
export async function ensureWrk(say: (line: string) => void): Promise<void> {
  if (await works()) return;
  if (process.getuid?.() !== 0)
    throw new Error('The benchmarks need wrk: install it (apt-get install wrk) and run again');
  say('installing wrk (apt-get install wrk)');
  const install = (): Promise<unknown> =>
    run('apt-get', ['install', '-y', 'wrk'], {
      timeout: 180_000,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  await install().catch(async () => {
    await run('apt-get', ['update'], { timeout: 180_000 });
    await install();
  });
  if (!(await works())) throw new Error('wrk was installed and does not run: see "wrk --version"');
}

async function works(): Promise<boolean> {
  // Without arguments wrk prints its usage and exits with 1; a missing one is ENOENT.
  const error = await run('wrk', ['--version']).then(
    () => null,
    (caught: NodeJS.ErrnoException) => caught,
  );
  return error === null || error.code !== 'ENOENT';
}
