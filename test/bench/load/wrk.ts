import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One run of the load generator. */
export interface WrkResult {
  requestsPerSecond: number;
  requests: number;
  /** Responses that were no 2xx or 3xx, and socket errors. */
  failures: number;
}

/** What wrk does beside sending GET to one URL. */
export interface WrkOptions {
  /** Kept-alive connections, each with one request at a time. @default 32 */
  connections?: number;
  seconds: number;
  /** A file of this folder, and what it gets. */
  script?: 'post.lua' | 'round-robin.lua';
  args?: readonly string[];
}

/** Drives `url` from a process of its own over kept-alive connections. */
export async function wrk(url: string, options: WrkOptions): Promise<WrkResult> {
  const { connections = 32, seconds, script, args = [] } = options;
  const scriptArgs = script === undefined ? [] : ['-s', join(import.meta.dirname, script)];
  const { stdout } = await run(
    'wrk',
    ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', ...scriptArgs, url, '--', ...args],
    { timeout: (seconds + 20) * 1000 },
  );
  return parseWrk(stdout);
}

/** Reads wrk's report. Throws when it has no rate: wrk could not connect, or says something else. */
export function parseWrk(stdout: string): WrkResult {
  const number = (pattern: RegExp): number | null => {
    const text = pattern.exec(stdout)?.[1];
    return text === undefined ? null : Number(text);
  };
  const requestsPerSecond = number(/^Requests\/sec:\s+([\d.]+)/m);
  const requests = number(/^\s*(\d+) requests in/m);
  if (requestsPerSecond === null || requests === null) throw new Error(`wrk reported no rate; it said:\n${stdout}`);
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout)?.slice(1) ?? [];
  const socketErrors = sockets.reduce((sum, count) => sum + Number(count), 0);
  return { requestsPerSecond, requests, failures: (number(/Non-2xx or 3xx responses: (\d+)/) ?? 0) + socketErrors };
}
