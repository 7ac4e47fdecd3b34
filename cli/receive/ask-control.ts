import { connect } from 'node:net';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { hostLimits } from '../../runtime/contract/limits.ts';
import type { ControlProblem } from '../../router/control/types.ts';
import { keyHeader } from '../../router/control/key-header.ts';

/** One question to the control API, asked for a key. */
export interface Question {
  socketPath: string;
  key: string;
  method: 'GET' | 'POST';
  path: string;
  body?: unknown;
  /** How long the server may be silent, in ms. @default that of a push that makes an app, which waits for its database */
  timeoutMs?: number;
}

/**
 * Asks the control API over node:net, as HTTP/1.0: every push and every clone waits for it, and node:http alone takes 10
 * to 20 ms to load. Rejects with the FnrunError that the server answered, or FN_NOT_RUNNING.
 */
export async function askControl<T>({
  socketPath,
  key,
  method,
  path,
  body = {},
  timeoutMs = hostLimits.controlNewAppMs,
}: Question): Promise<T> {
  const json = JSON.stringify(body);
  const socket = connect(socketPath);
  let late = false;
  socket.setTimeout(timeoutMs, () => {
    late = true;
    socket.destroy();
  });
  socket.write(
    `${method} ${path} HTTP/1.0\r\nhost: fnrun\r\n${keyHeader}: ${key}\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
  );
  let text = '';
  try {
    for await (const chunk of socket.setEncoding('utf8')) text += String(chunk);
  } catch (cause) {
    if (late) {
      throw new FnrunError('FN_NOT_RUNNING', `The fnrun server has not answered within ${timeoutMs / 1_000} s`, {
        hint: 'it is busy: try again in a moment; what it was asked for may have been done',
      });
    }
    throw new FnrunError('FN_NOT_RUNNING', `The fnrun server cannot be reached: ${reasonOf(cause)}`, {
      cause,
      hint: 'ask whoever runs it to start it, then try again',
    });
  }
  const status = Number(/^HTTP\/1\.[01] (\d{3}) /.exec(text)?.[1] ?? 0);
  const answer = text.slice(text.indexOf('\r\n\r\n') + 4);
  if (status >= 200 && status < 300) return JSON.parse(answer) as T;
  throw problemOf(answer);
}

function problemOf(text: string): FnrunError {
  try {
    const { code, detail, title, hint } = JSON.parse(text) as ControlProblem;
    return new FnrunError(code, detail ?? title, hint === undefined ? {} : { hint });
  } catch (cause) {
    return new FnrunError('FN_INTERNAL', 'The fnrun server gave an answer that cannot be read', { cause });
  }
}

function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ECONNREFUSED' ? 'it is not running' : message;
}
