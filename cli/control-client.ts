import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { errorCatalogue, FnrunError, type ErrorCode } from '../runtime/contract/errors.ts';
import { hostLimits } from '../runtime/contract/limits.ts';
import { keyHeader } from '../router/control/key-header.ts';
import type { ControlProblem } from '../router/control/types.ts';

/** How to talk to the server that holds a home. */
export interface ControlClient {
  /** Sends a request and resolves to the JSON answer. Rejects with FnrunError for any other answer. */
  request<T>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, options?: RequestOptions): Promise<T>;
  /** Resolves to the text that a GET answers with. Rejects as `request` does. */
  text(path: string): Promise<string>;
  /** Yields the JSON value of each line of an NDJSON answer as it comes, until its end or `signal`. */
  stream<T>(path: string, options: { signal: AbortSignal }): AsyncGenerator<T>;
}

export interface RequestOptions {
  /** Sent as JSON. */
  body?: unknown;
  /** How long the whole answer may take. @default 15000 */
  deadlineMs?: number;
}

/**
 * A client of `<home>/run/control.sock`, with a connection for each request. In a process that `fnrun receive` made for
 * an ssh key, every client speaks for that key: which command it is made in makes no difference.
 */
export function createControlClient(
  home: string,
  { key = process.env['FNRUN_KEY'] ?? null }: { key?: string | null } = {},
): ControlClient {
  const socketPath = join(home, 'run/control.sock');

  const send = async ({ path, method, body, signal }: Sent): Promise<IncomingMessage> => {
    const headers = {
      host: 'control',
      ...(key !== null && { [keyHeader]: key }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const outgoing = httpRequest({ socketPath, path, method, headers, signal, agent: false });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    // Kept for the whole exchange: an error after the response began is reported by the response as well.
    outgoing.on('error', () => undefined);
    const { statusCode = 0 } = response;
    if (statusCode >= 400) throw problemError(statusCode, await text(response));
    return response;
  };

  return {
    async text(path) {
      try {
        const signal = AbortSignal.timeout(hostLimits.controlRequestMs);
        return await text(await send({ method: 'GET', path, signal }));
      } catch (error) {
        throw connectionError(error, home);
      }
    },
    async request<T>(
      method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
      path: string,
      options: RequestOptions = {},
    ): Promise<T> {
      const { body, deadlineMs = hostLimits.controlRequestMs } = options;
      try {
        const answer = await text(await send({ method, path, body, signal: AbortSignal.timeout(deadlineMs) }));
        return (answer === '' ? undefined : JSON.parse(answer)) as T;
      } catch (error) {
        throw connectionError(error, home);
      }
    },
    async *stream<T>(path: string, { signal }: { signal: AbortSignal }): AsyncGenerator<T> {
      try {
        for await (const line of linesOf(await send({ method: 'GET', path, signal }))) yield JSON.parse(line) as T;
      } catch (error) {
        if (!signal.aborted) throw isCut(error) ? endedError(error, home) : connectionError(error, home);
      }
    },
  };
}

interface Sent {
  method: string;
  path: string;
  body?: unknown;
  signal: AbortSignal;
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of response.setEncoding('utf8')) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line !== '');
  }
  if (rest !== '') yield rest;
}

/** The server's process ended, or it cut the connection while it was stopping. */
function isCut(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
}

function endedError(cause: unknown, home: string): FnrunError {
  return new FnrunError('FN_NOT_RUNNING', `The fnrun server in ${home} has ended`, {
    cause,
    hint: 'once it runs again, repeat the command',
  });
}

const nobodyThere = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR']);

function connectionError(error: unknown, home: string): FnrunError {
  if (error instanceof FnrunError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (nobodyThere.has(code)) {
    return new FnrunError('FN_NOT_RUNNING', `No fnrun server runs in ${home}`, {
      cause: error,
      hint: `start one with: fnrun serve --home ${home}, or name another folder with --home`,
    });
  }
  const why = code === 'EACCES' ? 'its control socket is not yours' : reasonOf(error);
  return new FnrunError('FN_NOT_RUNNING', `The fnrun server in ${home} cannot be asked: ${why}`, { cause: error });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === 'AbortError' || error.name === 'TimeoutError' ? 'it did not answer in time' : error.message;
}

function problemError(status: number, body: string): FnrunError {
  const problem = parseProblem(body);
  const code =
    problem?.code !== undefined && problem.code in errorCatalogue ? problem.code : ('FN_INTERNAL' as ErrorCode);
  const message = problem?.detail ?? problem?.title ?? `The fnrun server answered with ${status}`;
  return new FnrunError(code, message, problem?.hint === undefined ? {} : { hint: problem.hint });
}

function parseProblem(body: string): Partial<ControlProblem> | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}
