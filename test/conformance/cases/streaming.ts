import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { expect } from 'vitest';
import { eventually, within } from '../../support/deadline.ts';
import { openFrom } from '../../support/http.ts';
import { exchangeRaw, openRaw } from '../../support/raw-http.ts';
import { appHost, type Case, type Client } from '../case.ts';

const host: [string, string] = ['Host', appHost];

interface Reader {
  /** The text of the next chunk; null at the end. */
  next: () => Promise<string | null>;
}

function readerOf(stream: Readable): Reader {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const next = async () => {
    const { done, value } = await within(15_000, 'the next chunk', chunks.next());
    return done === true ? null : value.toString();
  };
  return { next };
}

/** The second half of the body is made only after the first was received. */
function steps(name: string, wanted: { query: string; first: string; second: string }): Case {
  return {
    name: `streaming: ${name}`,
    run: async ({ target, request }) => {
      const key = randomUUID();
      const { message } = await openFrom(target, { path: `/steps?key=${key}${wanted.query}`, headers: [host] });
      const reader = readerOf(message);
      expect(await reader.next()).toBe(wanted.first);
      const second = reader.next();
      expect((await request({ path: `/steps?go=${key}` })).json()).toEqual({ waiting: true });
      expect(await second).toBe(wanted.second);
      expect(await reader.next()).toBeNull();
    },
  };
}

async function seenGone(client: Client, key: string, wanted: object): Promise<void> {
  await eventually(async () => {
    expect((await client.request({ path: `/gone?seen=${key}` })).json()).toMatchObject(wanted);
    return true;
  });
}

/** Bodies that flow while both sides are at work, and connections that live on. */
export const streamingCases: readonly Case[] = [
  steps('a response flows while it is made', { query: '', first: 'first', second: 'second' }),
  steps('server-sent events arrive one by one', {
    query: '&sse',
    first: 'event: step\ndata: first\n\n',
    second: 'event: step\ndata: second\n\n',
  }),
  {
    name: 'streaming: both bodies at once',
    run: async ({ target }) => {
      const body = new PassThrough();
      body.write('one');
      const { message } = await openFrom(target, { method: 'POST', path: '/upper', headers: [host], body });
      const reader = readerOf(message);
      expect(await reader.next()).toBe('ONE');
      body.write('two');
      expect(await reader.next()).toBe('TWO');
      body.end('end');
      expect(await reader.next()).toBe('END');
      expect(await reader.next()).toBeNull();
    },
  },
  {
    name: 'disconnect: a streamed response is cancelled and the signals abort',
    run: async (client) => {
      const key = randomUUID();
      const { message } = await openFrom(client.target, { path: `/gone?key=${key}`, headers: [host] });
      await readerOf(message).next();
      message.destroy();
      await seenGone(client, key, { ctx: true, request: true, cancelled: true });
    },
  },
  {
    name: 'disconnect: the signals abort before there is a response',
    run: async (client) => {
      const key = randomUUID();
      const socket = await openRaw(client.target);
      socket.write(`GET /gone?how=wait&key=${key} HTTP/1.1\r\nHost: ${appHost}\r\n\r\n`);
      await seenGone(client, key, { ctx: false });
      socket.destroy();
      await seenGone(client, key, { ctx: true, request: true });
    },
  },
  {
    name: 'connection: kept alive over every kind of answer',
    run: async (client) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const ask = async (path: string, method = 'GET', body?: string) => {
        const response = await client.request({ path, method, agent, ...(body === undefined ? {} : { body }) });
        return response.status;
      };
      const statuses = [
        await ask('/ping'),
        await ask('/ping', 'HEAD'),
        await ask('/response?kind=no-content'),
        await ask('/response?kind=not-modified'),
        await ask('/response?kind=stream'),
        await ask('/echo', 'POST', 'body'),
        await ask('/ping', 'POST', 'a body that nobody reads'),
        await ask('/failing?kind=throw'),
        await ask('/nothing/here'),
        await ask('/style.css'),
        await ask('/ping'),
      ];
      expect(statuses).toEqual([200, 200, 204, 304, 200, 200, 200, 502, 404, 200, 200]);
      const sockets = Object.values(agent.freeSockets).flatMap((list) => list ?? []);
      expect(sockets.length).toBe(1);
      agent.destroy();
    },
  },
  {
    name: 'connection: pipelined requests are answered in order',
    run: async ({ target }) => {
      const ask = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: ${appHost}\r\n${more}\r\n`;
      const { text, responses } = await exchangeRaw(
        target,
        ask('/response?kind=async') + ask('/ping') + ask('/nothing/here', 'Connection: close\r\n'),
      );
      expect(responses).toBe(3);
      expect(text).toMatch(/late[^]*pong[^]*FN_NOT_FOUND/);
    },
  },
  {
    name: 'connection: Expect: 100-continue gets its go-ahead',
    run: async ({ target }) => {
      const head = `POST /echo HTTP/1.1\r\nHost: ${appHost}\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`;
      const socket = await openRaw(target);
      socket.write(head);
      const reader = readerOf(socket);
      expect(await reader.next()).toMatch(/^HTTP\/1\.1 100 Continue\r\n/);
      socket.write('body');
      expect(await reader.next()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      socket.destroy();
    },
  },
  {
    name: 'connection: HTTP/1.0 gets an answer and the end of the connection',
    run: async ({ target }) => {
      const { text, status } = await exchangeRaw(
        target,
        `GET /response?kind=stream HTTP/1.0\r\nHost: ${appHost}\r\n\r\n`,
      );
      expect(status).toBe(200);
      expect(text).not.toMatch(/transfer-encoding/i);
      expect(text.endsWith('one two three')).toBe(true);
    },
  },
];
