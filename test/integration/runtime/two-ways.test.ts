import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { startApp } from '../../support/app.ts';
import { within } from '../../support/deadline.ts';
import { readResponse } from '../../support/response-stream.ts';
import type { ReadResponse } from '../../support/response-stream.ts';

const modules = {
  '/echo': `export default async (request) => {
    const bytes = await request.bytes();
    let sum = 0;
    for (const byte of bytes) sum = (sum * 31 + byte) | 0;
    const headers = [...request.headers].filter(([name]) => name !== 'x-request-id');
    return Response.json({ method: request.method, url: request.url, headers, length: bytes.length, sum });
  }`,
  '/early': `export default (request) => new Response('early ' + request.url)`,
  '/pass': `export default (request) => new Response(request.body, { headers: { 'x-passed': 'yes' } })`,
  '/bytes': `export default (request) => new Response(new Uint8Array(Number(new URL(request.url).searchParams.get('n'))).fill(98))`,
  '/text': `export default (request) => new Response('é'.repeat(Number(new URL(request.url).searchParams.get('n'))))`,
  '/stream': `export default (request) => {
    const { searchParams } = new URL(request.url);
    let left = Number(searchParams.get('n'));
    const size = Number(searchParams.get('size'));
    const headers = searchParams.has('sized') ? { 'content-length': String(left * size) } : {};
    return new Response(new ReadableStream({
      pull(controller) {
        if (left-- > 0) controller.enqueue(new Uint8Array(size).fill(99));
        else controller.close();
      },
    }), { headers });
  }`,
  '/get': `export const GET = () => new Response('got', { headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['x-latin', '\\xe9']] })`,
  '/status': `export default (request) => new Response(null, { status: Number(new URL(request.url).searchParams.get('s')), statusText: 'So \\xe9' })`,
  '/fail': `export default () => { throw new Error('on purpose') }`,
  '/broken': `export default () => new Response(new ReadableStream({
    pull(controller) {
      controller.error(new Error('on purpose'));
    },
  }))`,
  '/none': `export default () => undefined`,
};

interface Ask {
  method: string;
  target: string;
  lines: string;
  bytes: number;
}

const sizes = fc.constantFrom(
  0,
  1,
  5,
  4095,
  4096,
  4097,
  16_383,
  16_384,
  16_385,
  65_535,
  65_536,
  65_537,
  262_144,
  262_145,
);
const target = fc.oneof(
  fc.constantFrom(
    '/echo',
    '/echo?a=%20&b',
    '/echo/',
    '/early',
    '/pass',
    '/get',
    '/fail',
    '/none',
    '/missing',
    '/a%2Fb',
  ),
  sizes.map((n) => `/bytes?n=${n}`),
  fc.constantFrom(1, 2_048, 8_192, 8_193, 150_000).map((n) => `/text?n=${n}`),
  fc
    .tuple(fc.nat(5), fc.constantFrom(1, 100, 5_000, 70_000), fc.constantFrom('', '&sized'))
    .map(([n, size, sized]) => `/stream?n=${n}&size=${size}${sized}`),
  fc.constantFrom(200, 204, 205, 304, 404, 503, 599).map((status) => `/status?s=${status}`),
);
const line = fc.constantFrom(
  'Accept: */*',
  'X-Empty:',
  'X-Latin: \xe9\xa0',
  'Cookie: a=1',
  'cookie: b=2',
  'Connection: keep-alive',
  'Keep-Alive: timeout=5',
  'TE: trailers',
  'X-Fnrun-Client: forged',
  'X-Fnrun-Connection: accept',
  'X-Request-Id: own',
  'X-Request-Id: not well-formed',
  'X-Forwarded-For: 10.0.0.1',
  'Proxy-Connection: x',
);
const ask: fc.Arbitrary<Ask> = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS'),
    target,
    lines: fc.uniqueArray(line, { maxLength: 3, selector: (text) => text.split(':')[0]!.toLowerCase() }),
    bytes: sizes,
  })
  .map(({ lines, ...rest }) => ({ ...rest, lines: lines.map((text) => `${text}\r\n`).join('') }));

function textOf({ method, target: to, lines, bytes }: Ask, host: string): string {
  const withBody = method === 'POST' || method === 'PUT';
  const length = withBody ? `Content-Length: ${bytes}\r\n` : '';
  return `${method} ${to} HTTP/1.1\r\nHost: ${host}\r\n${lines}${length}\r\n${withBody ? 'x'.repeat(bytes) : ''}`;
}

/** Reads responses of one connection in turn. */
class Client {
  readonly #socket: Socket;
  #bytes = Buffer.alloc(0);
  #came = Promise.withResolvers<void>();
  #gone = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#came.resolve();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#gone = true;
      this.#came.resolve();
    });
  }

  send(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => this.#socket.write(bytes, () => setImmediate(resolve)));
  }

  async response(toHead: boolean): Promise<ReadResponse> {
    for (;;) {
      const read = readResponse(this.#bytes, toHead);
      if (read !== null) {
        this.#bytes = this.#bytes.subarray(read.length);
        return read.response;
      }
      if (this.#gone)
        throw new Error(`the connection ended with ${JSON.stringify(this.#bytes.toString('latin1', 0, 500))}`);
      this.#came = Promise.withResolvers();
      await within(15_000, 'a response', this.#came.promise);
    }
  }

  /** What came behind the last response. */
  async rest(): Promise<string> {
    while (!this.#gone) {
      this.#came = Promise.withResolvers();
      await within(15_000, 'the end of the connection', this.#came.promise);
    }
    return this.#bytes.toString('latin1');
  }

  close(): void {
    this.#socket.destroy();
  }
}

let port = 0;
let app: Awaited<ReturnType<typeof startApp>>;

beforeEach(async () => {
  app = await startApp();
  await app.deploy(modules);
  port = app.port;
});

async function open(): Promise<Client> {
  const socket = connect(port, '127.0.0.1');
  await within(15_000, 'connecting', once(socket, 'connect'));
  return new Client(socket);
}

/** The responses to `asks` on one connection, sent in the pieces that `cuts` make. */
async function converse(client: Client, { asks, cuts }: { asks: Ask[]; cuts: number[] }): Promise<ReadResponse[]> {
  const bytes = Buffer.from(asks.map((one) => textOf(one, 'a.test')).join(''), 'latin1');
  const sent = (async () => {
    const places = [...new Set(cuts.map((share) => Math.floor(share * bytes.length)))].sort((a, b) => a - b);
    let from = 0;
    for (const to of [...places, bytes.length]) {
      await client.send(bytes.subarray(from, to));
      from = to;
    }
  })();
  const responses: ReadResponse[] = [];
  for (const { method } of asks) {
    const response = await client.response(method === 'HEAD');
    responses.push(response);
    if (response.headers.some(([name, value]) => name === 'connection' && value === 'close')) break;
  }
  await sent;
  return responses;
}

function isRefusedUpload({ headers }: ReadResponse, { bytes, method }: Ask): boolean {
  const uploads = bytes > 0 && (method === 'POST' || method === 'PUT');
  return uploads && headers.some(([, value]) => value === 'application/problem+json');
}

/** Without what differs from one request to the next. */
function comparable(response: ReadResponse, request: Ask): unknown {
  const { status, reason, headers, body } = response;
  const refused = isRefusedUpload(response, request);
  const own = headers
    .filter(([name]) => name !== 'date' && !(refused && (name === 'connection' || name === 'keep-alive')))
    .map(([name, value]) =>
      name === 'x-request-id' ? [name, /^[\da-f]{32}$/.test(value) ? 'made' : value] : [name, value],
    );
  const text = body.toString('latin1').replace(/"requestId":"[\da-f]{32}"/, '');
  return { status, reason, headers: own, text };
}

test('a response that fails at once was begun, and is cut, on both ways', async () => {
  const first = 'OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n';
  const ask = 'GET /broken HTTP/1.1\r\nHost: a.test\r\n\r\n';
  for (const before of ['', first]) {
    const client = await open();
    await client.send(Buffer.from(before + ask));
    if (before !== '') expect((await client.response(false)).status).toBe(204);
    // Without a head the client would take the request for one that was not served.
    expect(await client.rest()).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:[\w-]+: [^\r\n]+\r\n)+\r\n$/);
  }
});

test('a refused upload has its answer, whatever is sent behind it', async () => {
  const upload = { method: 'PUT', target: '/missing', bytes: 16_383, lines: '' };
  const behind = { method: 'POST', target: '/early', bytes: 262_144, lines: '' };
  for (let round = 0; round < 20; round++) {
    const [plain, node] = [await open(), await open()];
    await node.send(Buffer.from('OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n'));
    expect((await node.response(false)).status).toBe(204);
    const told = await Promise.all(
      [plain, node].map((client) => converse(client, { asks: [upload, behind], cuts: [0, 0.6] })),
    );
    for (const [first, second] of told) {
      expect(first!.status).toBe(404);
      if (second !== undefined) expect(second.status).toBe(200);
    }
    plain.close();
    node.close();
  }
});

test('what is answered on the socket itself is what node:http answers', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(ask, { minLength: 1, maxLength: 6 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }),
      async (asks, cuts) => {
        const plain = await open();
        const node = await open();
        try {
          // A target of this form hands the connection over to node:http, with all that follows.
          await node.send(Buffer.from('OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n'));
          expect((await node.response(false)).status).toBe(204);
          const [direct, reference] = await Promise.all([
            converse(plain, { asks, cuts }),
            converse(node, { asks, cuts }),
          ]);
          // Whether the rest of an upload that is refused is there already is a matter of chance, and so is the end of its connection.
          const both = Math.min(direct.length, reference.length);
          const last = direct[both - 1]!;
          if (!isRefusedUpload(last, asks[both - 1]!)) expect(direct.length).toBe(reference.length);
          const told = (responses: ReadResponse[]): unknown[] =>
            responses.slice(0, both).map((response, i) => comparable(response, asks[i]!));
          expect(told(direct)).toEqual(told(reference));
        } finally {
          plain.close();
          node.close();
        }
      },
    ),
    { numRuns: 150, interruptAfterTimeLimit: 12_000 },
  );
}, 30_000);
