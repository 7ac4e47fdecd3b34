import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client, type Dispatcher } from 'undici';
import { errorCatalogue, FnrunError, type ErrorCode } from '../runtime/contract/errors.ts';
import { hostLimits } from '../runtime/contract/limits.ts';
import type { ControlProblem } from '../router/control/types.ts';

/** How to talk to the server that holds a home. */
export interface ControlClient {
  /** Sends a request and resolves to the JSON answer. Rejects with FnrunError for any other answer. */
  request<T>(method: 'GET' | 'POST' | 'DELETE', path: string, options?: RequestOptions): Promise<T>;
  /** Yields the JSON value of each line of an NDJSON answer as it comes, until its end or `signal`. */
  stream<T>(path: string, options: { signal: AbortSignal }): AsyncGenerator<T>;
  close(): Promise<void>;
}

export interface RequestOptions {
  /** Sent as JSON. */
  body?: unknown;
  /** How long the answer may take to begin. @default 15000 */
  deadlineMs?: number;
}

/** A client of `<home>/run/control.sock`. Connects at the first request. */
export function createControlClient(home: string): ControlClient {
  const client = new Client('http://control', {
    socketPath: join(home, 'run/control.sock'),
    // A followed log is silent for as long as the app is.
    bodyTimeout: 0,
    connect: { timeout: hostLimits.controlRequestMs },
  });

  const send = async (options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> => {
    let response;
    try {
      response = await client.request(options);
    } catch (error) {
      throw connectionError(error, home);
    }
    if (response.statusCode >= 400) throw problemError(response.statusCode, await response.body.text());
    return response;
  };

  return {
    async request<T>(method: 'GET' | 'POST' | 'DELETE', path: string, options: RequestOptions = {}): Promise<T> {
      const body = options.body === undefined ? null : JSON.stringify(options.body);
      const headers = body === null ? {} : { 'content-type': 'application/json' };
      const headersTimeout = options.deadlineMs ?? hostLimits.controlRequestMs;
      const response = await send({ method, path, headers, body, headersTimeout });
      const text = await response.body.text();
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
    async *stream<T>(path: string, { signal }: { signal: AbortSignal }): AsyncGenerator<T> {
      const response = await send({ method: 'GET', path, signal });
      const lines = createInterface({ input: response.body, crlfDelay: Infinity });
      try {
        for await (const line of lines) if (line !== '') yield JSON.parse(line) as T;
      } catch (error) {
        if (!signal.aborted) throw connectionError(error, home);
      } finally {
        response.body.destroy();
      }
    },
    close: () => client.destroy(),
  };
}

/** Runs `use` with a client of `home` and closes it whatever happens. */
export async function withControl<T>(home: string, use: (client: ControlClient) => Promise<T>): Promise<T> {
  const client = createControlClient(home);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

const nobodyThere = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR', 'UND_ERR_CONNECT_TIMEOUT']);

function connectionError(error: unknown, home: string): FnrunError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (nobodyThere.has(code)) {
    return new FnrunError('FN_NOT_RUNNING', `No fnrun server runs in ${home}`, {
      cause: error,
      hint: `start one with: fnrun serve --home ${home}, or name another folder with --home`,
    });
  }
  const why =
    code === 'EACCES' ? 'its control socket is not yours' : error instanceof Error ? error.message : String(error);
  return new FnrunError('FN_NOT_RUNNING', `The fnrun server in ${home} cannot be asked: ${why}`, { cause: error });
}

function problemError(status: number, text: string): FnrunError {
  const problem = parseProblem(text);
  const code =
    problem?.code !== undefined && problem.code in errorCatalogue ? problem.code : ('FN_INTERNAL' as ErrorCode);
  const message = problem?.detail ?? problem?.title ?? `The fnrun server answered with ${status}`;
  return new FnrunError(code, message, problem?.hint === undefined ? {} : { hint: problem.hint });
}

function parseProblem(text: string): Partial<ControlProblem> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}
