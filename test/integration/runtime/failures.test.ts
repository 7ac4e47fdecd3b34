import { expect, test } from 'vitest';
import { startHost } from '../../support/host.ts';
import { eventually, within } from '../../support/deadline.ts';
import { fetchFrom, openFrom } from '../../support/http.ts';
import { exchangeRaw, openRaw } from '../../support/raw-http.ts';

const ok = `export default () => new Response('ok')`;

test('host answers 504 when a handler loops, and replaces its thread', async () => {
  const { target, deploy, logged } = await startHost();
  await deploy({
    '/': ok,
    '/loop': `export const config = { timeoutMs: 1000 };
      export default (request) => { if (request.url.endsWith('?loop')) for (;;); return new Response('fine'); }`,
  });
  expect((await fetchFrom(target, { path: '/loop' })).text).toBe('fine');
  const looped = await fetchFrom(target, { path: '/loop?loop' });
  expect([looped.status, looped.json().code]).toEqual([504, 'FN_TIMEOUT']);
  expect((await fetchFrom(target, { path: '/' })).text).toBe('ok');
  const line = await logged((record) => record.message.includes('worker ended'));
  expect(line.message).toContain('its event loop is blocked');
  expect((await fetchFrom(target, { path: '/loop' })).text).toBe('fine');
});

test('host answers 504 when a promise never settles, aborts the signal and frees the place', async () => {
  const { target, deploy, logged, host } = await startHost();
  await deploy({
    // Warm: on a busy machine a first worker may take longer than the timeout, and the handler would never be called.
    '/never': `export const config = { timeoutMs: 100, minWorkers: 1 };
      export default (request, ctx) => {
        ctx.signal.addEventListener('abort', () => console.log('aborted:', ctx.signal.reason.name, request.signal.aborted));
        return new Promise(() => {});
      }`,
  });
  expect((await fetchFrom(target, { path: '/never' })).status).toBe(504);
  expect((await logged((record) => record.message.startsWith('aborted:'))).message).toBe('aborted: TimeoutError true');
  const stats = await host.stats();
  expect([stats!.inFlight, stats!.functions[0]!.workers]).toEqual([0, 1]);
});

test('host answers 408 when a body does not arrive in time, and never calls the handler', async () => {
  const { target, deploy, logs } = await startHost();
  await deploy({
    '/': `export const config = { timeoutMs: 200 }; export default () => { console.log('called'); return new Response('ok'); }`,
  });
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab';
  const { status, text } = await exchangeRaw(target, head);
  expect([status, text.includes('FN_REQUEST_TIMEOUT'), logs.some(({ message }) => message === 'called')]).toEqual([
    408,
    true,
    false,
  ]);
});

test('host gives a request that comes after a timeout to a worker that is not blocked', async () => {
  const { target, deploy, logged } = await startHost();
  await deploy({
    '/': `export const config = { timeoutMs: 1000 };
      export default (r) => { if (r.url.endsWith('?loop')) for (;;); return new Response('fine'); }`,
  });
  expect((await fetchFrom(target, { path: '/' })).text).toBe('fine');
  const looped = await fetchFrom(target, { path: '/?loop' });
  expect(looped.status).toBe(504);
  const after = await Promise.all([1, 2, 3].map(() => fetchFrom(target, { path: '/' })));
  expect(after.map(({ text }) => text)).toEqual(['fine', 'fine', 'fine']);
  const line = await logged((record) => record.message === 'timed out after 1000 ms');
  expect(line).toMatchObject({ level: 'error', function: 'index', requestId: looped.headers['x-request-id'] });
});

test('host ends the connection of an upload that goes on after the answer', async () => {
  const { target, deploy } = await startHost();
  await deploy({ '/': `export default () => new Response('enough')` });
  const socket = await openRaw(target);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  socket.on('data', () => {});
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  const sender = setInterval(() => socket.write('5\r\nhello\r\n'), 20);
  await within(15_000, 'the end of the connection', closed);
  clearInterval(sender);
});

test('host lets a slow client take a large response longer than the timeout', async () => {
  const { target, deploy } = await startHost();
  const size = 12_000_000;
  await deploy({
    '/': `export const config = { timeoutMs: 1000 }; export default () => new Response('x'.repeat(${size}))`,
  });
  const { message } = await openFrom(target, { path: '/' });
  let received = 0;
  for await (const chunk of message) {
    received += (chunk as Buffer).length;
    // About 4 MB/s: three seconds for all of it.
    await new Promise((resolve) => setTimeout(resolve, (chunk as Buffer).length / 4_000));
  }
  expect(received).toBe(size);
});

test('host keeps the stack of a failed handler out of the response and in the log', async () => {
  const { target, deploy, logged } = await startHost();
  await deploy({ '/boom': `export default () => { throw new Error('secret detail'); }` });
  const response = await fetchFrom(target, { path: '/boom' });
  expect(response.status).toBe(502);
  expect(response.headers['content-type']).toBe('application/problem+json');
  expect(response.text).not.toContain('secret');
  expect(response.text).not.toContain('stack');
  const line = await logged((record) => record.message === 'Error: secret detail');
  expect(line).toMatchObject({
    level: 'error',
    app: 'test',
    function: 'boom',
    release: 'r1',
    requestId: response.headers['x-request-id'],
  });
  expect(line.stack).toContain('functions/boom.mjs:1:30');
});

test('host answers 502 when a handler ends its thread, and serves on', async () => {
  const { target, deploy, logged } = await startHost();
  await deploy({ '/exit': `export default (r) => r.url.endsWith('?now') ? process.exit(3) : new Response('alive')` });
  const response = await fetchFrom(target, { path: '/exit?now' });
  expect([response.status, response.json().code]).toEqual([502, 'FN_WORKER_DIED']);
  expect((await fetchFrom(target, { path: '/exit' })).text).toBe('alive');
  await logged((record) => record.message.includes('process.exit, code 3'));
});

test('host answers 502 when a throw escapes the promise, and recycles the thread', async () => {
  const { target, deploy, logged } = await startHost();
  await deploy({
    '/late': `let calls = 0;
      export default (r) => {
        if (!r.url.endsWith('?throw')) return new Response(String(++calls));
        setTimeout(() => { throw new Error('late'); }, 1);
        return new Promise(() => {});
      }`,
  });
  expect((await fetchFrom(target, { path: '/late' })).text).toBe('1');
  expect((await fetchFrom(target, { path: '/late?throw' })).status).toBe(502);
  await logged((record) => record.message.includes('worker is replaced'));
  // The old one serves on until the new one is ready.
  await eventually(async () => (await fetchFrom(target, { path: '/late' })).text === '1');
});

test('host leaves a response alone when a rejection comes after it, and logs it', async () => {
  const { target, deploy, logged } = await startHost();
  await deploy({
    '/after': `export default () => { Promise.resolve().then(() => { throw new Error('nobody waits'); }); return new Response('sent'); }`,
  });
  expect((await fetchFrom(target, { path: '/after' })).text).toBe('sent');
  const line = await logged((record) => record.message.includes('nobody waits') && record.stack !== undefined);
  expect(line.function).toBe('after');
});

test('host survives a worker that outgrows its heap', async () => {
  const { target, deploy, logged, host } = await startHost();
  await deploy({
    '/': ok,
    '/grow': `export const config = { memoryMb: 32 };
      const kept = [];
      export default () => { for (;;) kept.push(new Array(1000).fill(Math.random())); }`,
  });
  expect((await fetchFrom(target, { path: '/' })).text).toBe('ok');
  const pid = host.status().pid;
  expect((await fetchFrom(target, { path: '/grow' })).json().code).toBe('FN_WORKER_DIED');
  await logged((record) => record.message.includes('memory limit'));
  expect((await fetchFrom(target, { path: '/' })).text).toBe('ok');
  expect(host.status().pid).toBe(pid);
});

test('host says what a handler returned when it is no response', async () => {
  const { target, deploy, logged } = await startHost();
  await deploy({ '/none': `export default () => ({ hello: 1 })` });
  expect((await fetchFrom(target, { path: '/none' })).json().code).toBe('FN_BAD_RESPONSE');
  await logged((record) => record.message === 'the handler returned an object of class Object where a Response is due');
});

test('supervisor starts a killed host again and loses no new connection', async () => {
  const { target, deploy, host } = await startHost();
  await deploy({ '/': ok, '/wait': `export default () => new Promise(() => {})` });
  const waiting = fetchFrom(target, { path: '/wait' }).catch((error: NodeJS.ErrnoException) => error.code);
  await fetchFrom(target, { path: '/' });
  process.kill(host.status().pid!, 'SIGKILL');
  expect(await waiting).toBe('ECONNRESET');
  expect((await fetchFrom(target, { path: '/' })).text).toBe('ok');
  expect(host.status()).toMatchObject({ state: 'running', restarts: 1, lastExit: 'signal SIGKILL' });
});
