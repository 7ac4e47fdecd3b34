import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { eventually } from '../../support/deadline.ts';
import { get, type Case, type Client } from '../case.ts';

function requestId(name: string, sent: string, kept: boolean): Case {
  return {
    name: `request id: ${name}`,
    run: async ({ request }) => {
      const response = await request({ path: '/ctx/1', headers: [['X-Request-Id', sent]] });
      const id = response.headers['x-request-id'];
      expect(id).toMatch(/^[\w.-]{1,128}$/);
      expect(response.json().requestId).toBe(id);
      expect(id === sent).toBe(kept);
    },
  };
}

/** What a fixture function noted under a key. */
async function seen(client: Client, fn: string, key: string): Promise<any> {
  return (await client.request({ path: `/${fn}?seen=${key}` })).json();
}

/** A cold worker's start would count against the short timeout. */
async function warmSlow(client: Client): Promise<void> {
  await eventually(async () => (await client.request({ path: '/slow?seen=nobody' })).status === 200);
}

function waitUntil(name: string, query: string): Case {
  return {
    name: `waitUntil: ${name}`,
    run: async (client) => {
      const key = randomUUID();
      expect((await client.request({ path: `/later?key=${key}${query}` })).json()).toEqual({ early: null });
      await eventually(async () => (await seen(client, 'later', key)) === 'done');
    },
  };
}

/** Context, environment, settings, limits: what the platform adds to every shape. */
export const platformCases: readonly Case[] = [
  requestId('a good one is kept', 'client-1.A_z', true),
  requestId('128 characters are kept', 'x'.repeat(128), true),
  requestId('a longer one is replaced', 'x'.repeat(129), false),
  requestId('one with odd characters is replaced', 'a b;c', false),
  {
    name: 'request id: made when absent, differently each time',
    run: async ({ request }) => {
      const ids = await Promise.all([1, 2].map(async () => (await request({ path: '/ping' })).headers['x-request-id']));
      expect(ids[0]).toMatch(/^[\w.-]{1,128}$/);
      expect(ids[0]).not.toBe(ids[1]);
    },
  },
  {
    name: 'ctx: every member is there, and may be taken apart',
    run: async ({ request }) => {
      const ctx = (await request({ path: '/ctx/a%20b' })).json();
      expect(ctx).toMatchObject({
        params: { id: 'a b' },
        awaited: { id: 'a b' },
        keys: ['id'],
        spread: { id: 'a b' },
        sameSignal: true,
        env: 'object',
        app: 'conformance',
        function: 'ctx/[id]',
        signal: { instance: true, aborted: false },
        log: ['function', 'function', 'function', 'function'],
      });
      expect(ctx.release).toMatch(/^[0-9a-f]{16}$/);
      expect(ctx.deadline).toBeGreaterThan(5_000);
      expect(ctx.deadline).toBeLessThanOrEqual(10_000);
    },
  },
  {
    name: "env: the app's only, as strings, there while the module loads",
    run: async ({ request, way }) => {
      const { atLoad, now, imported, ctx } = (await request({ path: '/env' })).json();
      expect(now).toEqual(atLoad);
      expect(imported).toEqual(atLoad);
      expect(ctx).toEqual(atLoad);
      expect(Object.keys(atLoad)).not.toContain('HOME');
      if (way === 'dev') expect(atLoad).toEqual({ GREETING: 'hello from .env', QUOTED: 'a b' });
    },
  },
  {
    name: "settings: fnrun.json wins over the module's config, foreign keys are no fault",
    run: async ({ request }) => {
      const { deadline } = (await request({ path: '/settings' })).json();
      expect(deadline).toBeGreaterThan(2_000);
      expect(deadline).toBeLessThanOrEqual(4_321);
    },
  },
  {
    name: 'timeout: 504, and both signals abort',
    run: async (client) => {
      await warmSlow(client);
      const key = randomUUID();
      const started = performance.now();
      const response = await client.request({ path: `/slow?key=${key}` });
      expect(response.status).toBe(504);
      expect(response.json()).toMatchObject({ code: 'FN_TIMEOUT', requestId: response.headers['x-request-id'] });
      const took = performance.now() - started;
      expect(took).toBeGreaterThan(490);
      expect(took).toBeLessThan(2_000);
      await eventually(async () => {
        const { ctx, request, deadline } = await seen(client, 'slow', key);
        expect({ ctx, request }).toEqual({ ctx: true, request: true });
        expect(deadline).toBeGreaterThanOrEqual(0);
        // Of 500: on a machine that is busy the thread begins later than the server counts.
        expect(deadline).toBeLessThan(250);
        return true;
      });
    },
  },
  {
    name: 'timeout: a response under way is cut off',
    run: async (client) => {
      await warmSlow(client);
      await expect(client.request({ path: `/slow?key=${randomUUID()}&how=stream` })).rejects.toThrow(
        /aborted|hang up|ECONNRESET/,
      );
    },
  },
  {
    name: 'timeout: the worker serves on',
    run: async (client) => {
      await warmSlow(client);
      expect((await client.request({ path: `/slow?key=${randomUUID()}` })).status).toBe(504);
      expect(await seen(client, 'slow', 'nobody')).toBeNull();
    },
  },
  waitUntil('work goes on after the response', ''),
  waitUntil('a rejection harms nobody', '&fail'),
  {
    name: 'body limit: at the limit',
    request: { method: 'POST', path: '/small', body: 'x'.repeat(1_000) },
    expect: { text: '1000' },
  },
  {
    name: 'body limit: a declared body above it gets 413',
    request: { method: 'POST', path: '/small', body: 'x'.repeat(1_001) },
    expect: { problem: 'FN_BODY_TOO_LARGE' },
  },
  {
    name: 'body limit: a chunked body above it gets 413',
    request: { method: 'POST', path: '/small', body: ['x'.repeat(600), 'x'.repeat(600)] },
    expect: { problem: 'FN_BODY_TOO_LARGE' },
  },
  {
    name: 'worker: many invocations at once',
    run: async ({ request }) => {
      await Promise.all(Array.from({ length: 5 }, () => request({ path: '/concurrent' })));
      expect((await request({ path: '/concurrent?most' })).json().most).toBeGreaterThan(1);
    },
  },
  {
    name: 'worker: invocations at once keep apart',
    run: async ({ request }) => {
      const names = Array.from({ length: 20 }, (_, i) => `request-${i}-${randomUUID()}`);
      const ask = (id: string) =>
        request({ method: 'POST', path: '/apart', body: id, headers: [['x-request-id', id]] });
      const answers = await Promise.all(names.map(async (id) => (await ask(id)).json()));
      expect(answers).toEqual(names.map((id) => ({ sent: id, stored: id, id, header: id })));
    },
  },
  {
    name: 'worker: module state lives on between invocations',
    run: async ({ request }) => {
      const first = (await request({ path: '/global' })).json().calls;
      expect((await request({ path: '/global' })).json().calls).toBeGreaterThan(first);
    },
  },
  get('bundle: JSX, JSON, text and shared code', '/imports', { text: '<p class="label">42 a note</p>' }),
];
