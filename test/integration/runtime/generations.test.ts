import { Agent } from 'node:http';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { within } from '../../support/deadline.ts';
import { startHost } from '../../support/host.ts';
import { fetchFrom } from '../../support/http.ts';
import { openRaw } from '../../support/raw-http.ts';
import { writeRelease } from '../../support/release.ts';

const counter = `let calls = 0; export default (_r, ctx) => Response.json({ calls: ++calls, release: ctx.release, env: process.env.A ?? null })`;

test('activation carries the workers of an unchanged function over, under the new release', async () => {
  const { target, deploy, host, dir } = await startHost();
  await deploy({ '/same': counter, '/other': `export default () => new Response('1')` });
  await fetchFrom(target, { path: '/same' });
  await fetchFrom(target, { path: '/other' });
  const next = await writeRelease(
    dir,
    { '/same': counter, '/other': `export default () => new Response('2')` },
    { id: 'next' },
  );
  await host.load(next, { check: true });
  expect(await host.activate(next)).toMatchObject({ release: 'next', warm: 2, carriedOver: 1 });
  expect((await fetchFrom(target, { path: '/same' })).json()).toMatchObject({ calls: 2, release: 'next' });
  expect((await fetchFrom(target, { path: '/other' })).text).toBe('2');
});

test('activation starts fresh workers when the environment changed', async () => {
  const { target, deploy } = await startHost();
  await deploy({ '/': counter }, { env: { A: '1' } });
  expect((await fetchFrom(target, { path: '/' })).json()).toEqual({ calls: 1, release: 'r1', env: '1' });
  await deploy({ '/': counter }, { env: { A: '2' } });
  expect((await fetchFrom(target, { path: '/' })).json()).toEqual({ calls: 1, release: 'r2', env: '2' });
});

test('worker sees the environment of its app only', async () => {
  const { target, deploy } = await startHost();
  await deploy(
    { '/': `const early = { ...process.env }; export default () => Response.json([early, process.env])` },
    { env: { A: '1' } },
  );
  expect((await fetchFrom(target, { path: '/' })).json()).toEqual([{ A: '1' }, { A: '1' }]);
});

test('activation lets old invocations finish on the old code', async () => {
  const { target, deploy, logged } = await startHost();
  const slow = (text: string): string => `export default async (_r, ctx) => {
    console.log('began ${text}');
    await new Promise((resolve) => { globalThis.release = resolve; setTimeout(resolve, 300); });
    return new Response('${text}');
  }`;
  await deploy({ '/': slow('old') });
  const running = fetchFrom(target, { path: '/' });
  await logged((record) => record.message === 'began old');
  await deploy({ '/': slow('new') });
  expect((await fetchFrom(target, { path: '/' })).text).toBe('new');
  expect((await running).text).toBe('old');
});

test('activation closes no kept-alive connection', async () => {
  const { target, deploy } = await startHost();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let connections = 0;
  const create = agent.createConnection.bind(agent);
  agent.createConnection = (...args: Parameters<typeof create>) => {
    connections++;
    return create(...args);
  };
  for (let i = 0; i < 5; i++) {
    await deploy({ '/': `export default () => new Response('${i}')` });
    expect((await fetchFrom(target, { path: '/', agent })).text).toBe(String(i));
  }
  expect(connections).toBe(1);
  agent.destroy();
});

test('load tells for each function whether and why it does not load', async () => {
  const { host, dir } = await startHost();
  const release = await writeRelease(dir, {
    '/good': `export const GET = () => new Response(''); export const config = { timeoutMs: 50, runtime: 'edge' }`,
    '/throws': `const a = 1;\nthrow new Error('at load')`,
    '/nothing': `export const helper = 1`,
    '/settings': `export default () => {}; export const config = { timeoutMs: '10s' }`,
    '/exits': `process.exit(1)`,
    '/fetch': `export default { fetch() {} }`,
  });
  const { functions } = await host.load(release, { check: true });
  const by = Object.fromEntries(functions.map((entry) => [entry.name, entry]));
  expect(by['good']!.inspection).toMatchObject({
    shape: 'methods',
    methods: ['GET'],
    settings: { timeoutMs: 50, subtree: false },
  });
  expect(by['good']!.inspection!.warnings).toEqual(['in config, runtime is no setting of fnrun: it has no effect']);
  expect(by['throws']!.error).toMatchObject({
    code: 'FN_LOAD_FAILED',
    message: 'Error: at load',
    file: 'functions/throws.mjs',
    line: 2,
    column: 7,
  });
  expect(by['nothing']!.error).toMatchObject({ code: 'FN_NO_HANDLER' });
  expect(by['settings']!.error!.message).toBe(
    'in config, timeoutMs must be a whole number from 1 to 900000 (ms): it is "10s"',
  );
  expect(by['exits']!.error!.message).toContain('process.exit, code 1');
  expect(by['fetch']!.inspection).toMatchObject({ shape: 'fetch', settings: { subtree: true } });
});

test('host holds connections until it has started, then serves the live release', async () => {
  const { host, dir, target } = await startHost();
  host.setLive(await writeRelease(dir, { '/': counter }));
  expect(host.status().state).toBe('stopped');
  const all = await Promise.all(Array.from({ length: 20 }, () => fetchFrom(target, { path: '/' })));
  expect(all.map((response) => response.status)).toEqual(Array.from({ length: 20 }, () => 200));
});

test('waitUntil keeps a draining worker until the promise settles', async () => {
  const { target, deploy, logged } = await startHost();
  await deploy({
    '/': `export default (_r, ctx) => {
      ctx.waitUntil(new Promise((resolve) => setTimeout(resolve, 200)).then(() => console.log('settled')));
      ctx.waitUntil(Promise.reject(new Error('left behind')));
      return new Response('early');
    }`,
  });
  expect((await fetchFrom(target, { path: '/' })).text).toBe('early');
  await deploy({ '/': `export default () => new Response('next')` });
  await logged((record) => record.message === 'settled');
  const failed = await logged((record) => record.message === 'waitUntil: Error: left behind');
  expect(failed.requestId).toBeDefined();
});

test('a request whose body arrives across a deployment is answered by the new release', async () => {
  const { target, deploy } = await startHost();
  const answer = (text: string): string => `export default async (r) => new Response('${text} ' + (await r.text()))`;
  await deploy({ '/': answer('old') });
  const socket = await openRaw(target);
  const closed = once(socket, 'close');
  let text = '';
  socket.on('data', (chunk: Buffer) => void (text += chunk.toString()));
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhello');
  // The head must be with the host before the switch: a request on the same host that comes later tells.
  await fetchFrom(target, { path: '/' });
  await deploy({ '/': answer('new') });
  await deploy({ '/': answer('newer') });
  socket.write('world');
  await within(4_000, 'the answer', closed);
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
  expect(text.endsWith('newer helloworld')).toBe(true);
});
