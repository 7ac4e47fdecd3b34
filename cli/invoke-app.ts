import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { join, resolve } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { FnrunError } from '../runtime/contract/errors.ts';
import { invocationLimits } from '../runtime/contract/limits.ts';

/** RFC 9110, section 5.6.2. */
const methodToken = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

export interface InvokeOptions {
  /** Absolute path of the server's folder. */
  home: string;
  app: string;
  /** Path and query, sent as they are. */
  target: string;
  method: string | undefined;
  /** Body text, `@FILE` or `@-`. */
  data: string | undefined;
  /** Each `Name: value`. */
  headers: readonly string[];
  /** Whether to write status line and headers before the body. */
  include: boolean;
  cwd: string;
  signal: AbortSignal;
  /** Gets the answer; not ended. */
  output: Writable;
}

/**
 * Sends one request to `<home>/run/<app>.sock`, writes the answer and resolves to its status.
 * Throws FN_NO_SUCH_APP or FN_NOT_RUNNING when nobody listens there.
 */
export async function invokeApp(options: InvokeOptions): Promise<number> {
  const headers = { host: `${options.app}.localhost`, ...parseHeaders(options.headers) };
  const body = await bodyOf(options);
  const method = options.method ?? (body === null ? 'GET' : 'POST');
  if (!methodToken.test(method)) {
    throw new FnrunError('FN_USAGE', `${JSON.stringify(method)} is no method`, { hint: 'for example: -X DELETE' });
  }
  const socketPath = join(options.home, 'run', `${options.app}.sock`);
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(invocationLimits.timeoutMsMax)]);
  try {
    const outgoing = request({ socketPath, method, path: options.target, headers, agent: false, signal });
    const answered = once(outgoing, 'response');
    // Kept for the whole exchange: an error after the response began is reported by the response as well.
    outgoing.on('error', () => undefined);
    if (body instanceof Readable) {
      body.on('error', (error) => outgoing.destroy(error)).pipe(outgoing);
    } else {
      outgoing.end(body ?? undefined);
    }
    const [response] = (await answered) as [IncomingMessage];
    await write(response, options);
    return response.statusCode ?? 0;
  } catch (error) {
    throw connectionError(error, options);
  }
}

async function write(response: IncomingMessage, { include, output }: InvokeOptions): Promise<void> {
  if (include) output.write(head(response));
  for await (const chunk of response) {
    if (!output.write(chunk)) await once(output, 'drain');
  }
}

function head({ httpVersion, statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = [`HTTP/${httpVersion} ${statusCode} ${statusMessage}`];
  for (let i = 0; i < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return `${lines.join('\n')}\n\n`;
}

async function bodyOf({ data, cwd }: InvokeOptions): Promise<Readable | Buffer | null> {
  if (data === undefined) return null;
  if (data === '@-') return process.stdin;
  if (!data.startsWith('@')) return Buffer.from(data);
  const path = resolve(cwd, data.slice(1));
  if ((await stat(path).catch(() => null))?.isFile() !== true) {
    throw new FnrunError('FN_USAGE', `${path} is no file to send`);
  }
  return createReadStream(path);
}

function parseHeaders(lines: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new FnrunError('FN_USAGE', `A header is "Name: value": it is ${line}`);
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    // node:http takes a list for a repeated header, and for Host nothing but a string.
    headers[name] = headers[name] === undefined ? value : [headers[name], value].flat();
  }
  return headers;
}

function connectionError(error: unknown, { home, app }: InvokeOptions): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return new FnrunError('FN_NOT_RUNNING', `Nothing listens for ${app} in ${home}/run`, {
      cause: error,
      hint: 'see that fnrun serve runs and that fnrun apps lists the app',
    });
  }
  return error;
}
