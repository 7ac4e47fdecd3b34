import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect } from 'vitest';
import { eventually, within } from '../../support/deadline.ts';
import { fetchFrom, type HttpTarget } from '../../support/http.ts';
import { openSocket, refusedSocket, type SocketClient, type SocketClientOptions } from '../../support/websocket.ts';

/** The app of test/fixtures/websocket, reached one way. */
export interface SocketWay {
  target: HttpTarget;
  /** The Host that clients send. */
  host: string;
}

interface SocketCase {
  name: string;
  run: (way: SocketWay) => Promise<void>;
}

const open = ({ target, host }: SocketWay, path: string, options: SocketClientOptions = {}): Promise<SocketClient> =>
  openSocket(target, path, { ...options, headers: { host, ...options.headers } });

/** What the fixture noted of the end of a socket. */
async function endOf({ target, host }: SocketWay, name: string): Promise<unknown> {
  return eventually(async () =>
    (await fetchFrom(target, { path: `/socket/${name}`, headers: [['Host', host]] })).json(),
  );
}

/** Each holds whichever way the app is reached. */
export const socketCases: readonly SocketCase[] = [
  {
    name: 'text and bytes come back, up to the limit',
    run: async (way) => {
      const client = await open(way, '/socket/echo');
      for (const message of ['grüße', '', Buffer.from([0, 255]), Buffer.alloc(100_000, 3), 'x'.repeat(100_000)]) {
        client.ws.send(message);
        expect(await client.next()).toEqual(message);
      }
    },
  },
  {
    name: 'handshake: protocol, headers, url and parameters; nothing is compressed',
    run: async (way) => {
      const client = await open(way, '/socket/caf%C3%A9?x=1', { protocols: ['b', 'a'], perMessageDeflate: true });
      expect(client.headers).toMatchObject({ 'x-upgraded': 'yes', 'sec-websocket-protocol': 'b' });
      expect(client.headers['x-request-id']).toMatch(/^[\w.-]+$/);
      expect(client.headers).not.toHaveProperty('sec-websocket-extensions');
      client.ws.send('who');
      const url = `ws://${way.host}/socket/caf%C3%A9?x=1`;
      expect(JSON.parse(String(await client.next()))).toEqual({ url, protocol: 'b', name: 'café' });
    },
  },
  {
    name: 'the answer of upgrade refuses',
    run: async ({ target, host }) => {
      expect(await refusedSocket(target, '/socket/a?refuse', { headers: { host } })).toMatchObject({
        status: 401,
        text: 'not you',
      });
    },
  },
  {
    name: 'a foreign page is refused, one of the same host is not',
    run: async (way) => {
      const { target, host } = way;
      const refused = await refusedSocket(target, '/socket/a', { headers: { host, origin: 'https://evil.example' } });
      expect([refused.status, JSON.parse(refused.text).code]).toEqual([403, 'FN_ORIGIN_REFUSED']);
      await open(way, '/socket/a', { headers: { origin: `https://${host}` } });
    },
  },
  {
    name: 'no function, no socket',
    run: async ({ target, host }) => {
      expect(await refusedSocket(target, '/none', { headers: { host } })).toMatchObject({ status: 404 });
    },
  },
  {
    name: 'the client closes',
    run: async (way) => {
      const name = randomUUID();
      const { ws, closed } = await open(way, `/socket/${name}`);
      ws.close(4321, 'bye');
      expect(await closed).toEqual({ code: 4321, reason: 'bye' });
      expect(await endOf(way, name)).toEqual({ code: 4321, wasClean: true, aborted: true });
    },
  },
  {
    name: 'the handler closes',
    run: async (way) => {
      const name = randomUUID();
      const { ws, closed } = await open(way, `/socket/${name}`);
      ws.send('close 1008');
      expect(await closed).toEqual({ code: 1008, reason: 'as told' });
      expect(await endOf(way, name)).toEqual({ code: 1008, wasClean: true, aborted: true });
    },
  },
  {
    name: 'the client vanishes',
    run: async (way) => {
      const name = randomUUID();
      const { ws } = await open(way, `/socket/${name}`);
      ws.terminate();
      expect(await endOf(way, name)).toEqual({ code: 1006, wasClean: false, aborted: true });
    },
  },
  {
    name: 'a message above the limit closes with 1009',
    run: async (way) => {
      const { ws, closed } = await open(way, '/socket/a');
      ws.send(Buffer.alloc(100_001));
      expect((await closed).code).toBe(1009);
    },
  },
  {
    name: 'pings are answered',
    run: async (way) => {
      const { ws } = await open(way, '/socket/a');
      const pong = once(ws, 'pong');
      ws.ping('x');
      expect(String((await within(15_000, 'a pong', pong))[0])).toBe('x');
    },
  },
  {
    name: 'twenty at once keep apart',
    run: async (way) => {
      const names = Array.from({ length: 20 }, (_each, i) => `client-${i}`);
      const clients = await Promise.all(names.map((name) => open(way, `/socket/${name}`)));
      for (const [i, { ws }] of clients.entries()) ws.send(names[i]!);
      expect(await Promise.all(clients.map((client) => client.next()))).toEqual(names);
      for (const { ws } of clients) ws.close();
      await Promise.all(clients.map(({ closed }) => closed));
    },
  },
];
