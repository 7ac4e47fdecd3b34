import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { within } from './deadline.ts';
import type { HttpTarget } from './http.ts';

/** Opens a connection to write bytes to that no HTTP library would send. */
export async function openRaw(target: HttpTarget): Promise<Socket> {
  const socket = 'socketPath' in target ? connect(target.socketPath) : connect(target.port, target.host);
  await within(15_000, 'connecting', once(socket, 'connect'));
  return socket;
}

/** Everything a server said on one connection. */
export interface RawResponse {
  /** Status of the first response; 0 when none came. */
  status: number;
  /** How many responses came: status lines, anywhere in the text. */
  responses: number;
  text: string;
}

/** Writes `bytes` on a new connection and reads until the server closes it, or until `deadlineMs` (2 s). */
export async function exchangeRaw(
  target: HttpTarget,
  bytes: string | Uint8Array,
  options: { deadlineMs?: number } = {},
): Promise<RawResponse> {
  const socket = await openRaw(target);
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => void (text += chunk));
  // A server may reset the connection after its answer: what came before counts.
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
    socket.on('error', () => resolve());
  });
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  await within(options.deadlineMs ?? 2_000, 'the answer', closed).catch(() => undefined);
  socket.destroy();
  const heads = text.match(/HTTP\/1\.[01] \d{3} /g) ?? [];
  return { status: Number(heads[0]?.slice(9, 12) ?? 0), responses: heads.length, text };
}
