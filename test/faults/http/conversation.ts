import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { within } from '../../support/deadline.ts';
import { fetchFrom, type HttpTarget } from '../../support/http.ts';
import { openRaw } from '../../support/raw-http.ts';
import type { HttpCase, Outcome } from './case.ts';
import { parseResponses, type WireResponse } from './parse-responses.ts';

/** Longer than any answer takes on a busy machine; nothing waits for it to pass unless something is wrong. */
const deadlineMs = 15_000;

/** What came of a case. */
export interface Observed {
  answers: WireResponse[];
  then: Outcome['then'];
  /** What came behind the last whole response. */
  rest: string;
}

interface ConverseOptions {
  expected: Outcome;
  /** The server reads each piece in two halves. @default false */
  halves?: boolean;
}

/**
 * Sends the bytes of `entry` on a connection of its own and reads what comes. When the connection is to be kept,
 * another request follows, and its answer must come right behind the expected ones; in any case one goes on a
 * new connection, and must get its own answer: through a proxy it may use the same upstream connection.
 */
export async function converse(
  target: HttpTarget,
  entry: HttpCase,
  { expected, halves = false }: ConverseOptions,
): Promise<Observed> {
  const connection = new Connection(await openRaw(target), entry.head === true);
  try {
    const pieces = typeof entry.send === 'string' ? [entry.send] : entry.send;
    for (const [index, piece] of pieces.entries()) {
      await connection.until(`${index} answers`, () => connection.answers.length >= index);
      const middle = halves ? Math.floor(piece.length / 2) : 0;
      if (halves) {
        connection.send(piece.slice(0, middle));
        // An answer on another connection: by then the first half has been read.
        await probe(target);
      }
      connection.send(piece.slice(middle));
    }
    const count = expected.answers instanceof RegExp ? 1 : expected.answers.length;
    await connection.until(`${count} answers`, () => connection.ended || connection.answers.length >= count);
    if (expected.then === 'kept' || expected.then === 'any') return await followUp(connection);
    if (expected.then === 'closed') await connection.until('the end of the connection', () => connection.ended);
    await probe(target);
    const { answers, rest, ended } = connection;
    return { answers, then: ended ? 'closed' : 'open', rest };
  } finally {
    connection.destroy();
  }

  async function followUp(open: Connection): Promise<Observed> {
    const before = open.answers.length;
    const id = randomUUID();
    if (!open.ended) open.send(probeRequest(id, entry.head === true ? 'HEAD' : 'GET'));
    await open.until('the answer to another request', () => open.ended || open.answers.length > before);
    await probe(target);
    const last = open.answers.at(-1);
    const answered = open.answers.length > before && open.rest === '' && last?.headers['x-request-id'] === id;
    const answers = answered ? open.answers.slice(0, -1) : open.answers;
    return { answers, then: answered ? 'kept' : 'closed', rest: open.rest };
  }
}

/** A request whose answer names it: x-request-id comes back. */
function probeRequest(id: string, method: string): string {
  return `${method} /-/probe HTTP/1.1\r\nHost: one.localhost\r\nX-Request-Id: ${id}\r\n\r\n`;
}

async function probe(target: HttpTarget): Promise<void> {
  const id = randomUUID();
  const headers = [
    ['Host', 'one.localhost'],
    ['X-Request-Id', id],
  ] as const;
  const response = await fetchFrom(target, { path: '/-/probe', headers, deadlineMs });
  if (response.status !== 200 || response.json().requestId !== id) {
    throw new Error(`a request on a new connection got ${response.status}: ${response.text}`);
  }
}

/** One connection, with all that came on it. */
class Connection {
  readonly #socket: Socket;
  readonly #head: boolean;
  #text = '';
  #ended = false;
  #look = (): void => undefined;

  constructor(socket: Socket, head: boolean) {
    this.#socket = socket;
    this.#head = head;
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#text += text;
      this.#look();
    });
    // A reset is an end too; what came before counts.
    socket
      .on('error', () => undefined)
      .on('close', () => {
        this.#ended = true;
        this.#look();
      });
  }

  get answers(): WireResponse[] {
    return this.#parse().complete;
  }

  get rest(): string {
    return this.#parse().rest;
  }

  get ended(): boolean {
    return this.#ended;
  }

  send(bytes: string): void {
    this.#socket.write(Buffer.from(bytes, 'latin1'));
  }

  /** Resolves as soon as `done`, looked at with every byte that comes. */
  async until(what: string, done: () => boolean): Promise<void> {
    const reached = new Promise<void>((resolve) => {
      this.#look = () => {
        if (done()) resolve();
      };
      this.#look();
    });
    await within(deadlineMs, what, reached).catch(() => {
      throw new Error(
        `${what} did not come in ${deadlineMs} ms; what came: ${JSON.stringify(this.#text.slice(0, 1_000))}`,
      );
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #parse() {
    return parseResponses(this.#text, { head: this.#head, ended: this.#ended });
  }
}
