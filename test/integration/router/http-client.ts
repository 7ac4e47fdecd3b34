import { request } from 'node:http';
import type { IncomingHttpHeaders, RequestOptions } from 'node:http';
import { connect } from 'node:net';
import type { NetConnectOpts } from 'node:net';

const answerMs = 5_000;

/** A whole response. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Sends one request on a connection of its own and reads the whole response. */
export function ask(options: RequestOptions, body?: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request({ agent: false, ...options, signal: AbortSignal.timeout(answerMs) }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () => {
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks).toString() });
      });
    });
    req.on('error', reject);
    req.end(body);
  });
}

/** Writes `text` byte for byte and reads until the other side closes. */
export function askRaw(to: NetConnectOpts, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(to, () => socket.write(Buffer.from(text, 'latin1')));
    const deadline = setTimeout(() => socket.destroy(new Error('no answer in time')), answerMs);
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (data: string) => (received += data));
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(deadline);
      resolve(received);
    });
  });
}
