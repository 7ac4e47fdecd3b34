import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { workerLimits } from '../../../runtime/contract/limits.ts';
import { startApp } from '../../support/app.ts';
import type { TestApp } from '../../support/app.ts';
import { eventually } from '../../support/deadline.ts';

/** Sends requests one after the other in each of `lanes` until `until` says so; resolves with the statuses. */
async function drive(app: TestApp, path: string, { lanes, until }: { lanes: number; until: () => boolean }) {
  const statuses: number[] = [];
  const lane = async (): Promise<void> => {
    while (!until()) statuses.push((await app.get(path)).status);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return statuses;
}

test(
  'function whose handler computes spreads over workers although few are in flight',
  { timeout: 60_000 },
  async () => {
    const app = await startApp();
    await app.deploy({
      '/burn': `export default () => { const end = performance.now() + 5; while (performance.now() < end); return new Response('ok'); }`,
    });
    const deadline = performance.now() + 45_000;
    let most = 0;
    const statuses = await drive(app, '/burn', {
      lanes: 16,
      until: () => {
        most = Math.max(most, app.stats('burn').workers);
        return most >= 2 || performance.now() > deadline;
      },
    });
    expect(most).toBe(2);
    expect(new Set(statuses)).toEqual(new Set([200]));
  },
);

test('function whose handler waits keeps one worker', async () => {
  const app = await startApp();
  await app.deploy({
    '/wait': `export default async () => { await new Promise((resolve) => setTimeout(resolve, 50)); return new Response('ok'); }`,
  });
  let sent = 0;
  await drive(app, '/wait', { lanes: 5, until: () => ++sent > 60 });
  expect(app.stats('wait')).toMatchObject({ workers: 1, inFlight: 0, failures: 0 });
});

test('function with a request that loops answers the others in another worker before that one times out', async () => {
  const app = await startApp();
  await app.deploy({
    '/f': `export const config = { timeoutMs: 10_000, minWorkers: 1 };
      export default (r) => { if (r.url.endsWith('?loop')) for (;;); return new Response('fine'); }`,
  });
  expect((await app.get('/f')).text).toBe('fine');
  let looped: number | null = null;
  const looping = app.get('/f?loop').then(({ status }) => void (looped = status));
  const others: Promise<void>[] = [];
  let fine = 0;
  // Those that reach the looping worker before it is known as such wait for its end.
  await eventually(
    () => {
      others.push(app.get('/f').then(({ status }) => void (status === 200 && looped === null && fine++)));
      return fine > 3;
    },
    { deadlineMs: 9_000, everyMs: 50 },
  );
  expect(looped).toBe(null);
  await looping;
  expect(looped).toBe(504);
  await Promise.all(others);
});

test('worker with an escaped error goes on until its replacement has loaded', async () => {
  const app = await startApp();
  await app.deploy({
    '/f': `await new Promise((resolve) => setTimeout(resolve, 1_000));
      const id = Math.random();
      export const config = { minWorkers: 1 };
      export default (r) => {
        if (r.url.endsWith('?escape')) setTimeout(() => { throw new Error('escaped'); }, 1);
        return Response.json({ id });
      }`,
  });
  const first = (await app.get('/f')).json().id;
  await app.get('/f?escape');
  await eventually(() => app.logs.some(({ message }) => message.includes('worker is replaced')));
  expect((await app.get('/f')).json().id).toBe(first);
  await eventually(async () => (await app.get('/f')).json().id !== first);
  await eventually(() => app.stats('f').workers === 1);
  expect(app.stats('f')).toMatchObject({ state: 'ok', failures: 0 });
});

test('threads taken from the reserve are refilled, more of them while functions start, none beyond the cap', async () => {
  const app = await startApp({ reserve: { min: 1, max: 3 }, threads: 6 });
  await eventually(() => app.pool.idle === 1);
  const pages = Object.fromEntries(
    Array.from({ length: 8 }, (_, i) => [`/f${i}`, `export default () => new Response('${i}')`]),
  );
  await app.deploy(pages);
  for (let i = 0; i < 3; i++) {
    expect((await app.get(`/f${i}`)).text).toBe(String(i));
    expect(app.pool.size).toBeLessThanOrEqual(6);
  }
  await eventually(() => app.pool.idle === 3);
  for (let i = 3; i < 8; i++) {
    expect((await app.get(`/f${i}`)).text).toBe(String(i));
    expect(app.pool.size).toBeLessThanOrEqual(6);
  }
});

test('function without a thread gets one although another keeps all of them busy', async () => {
  const app = await startApp({ reserve: { min: 0, max: 0 }, threads: 4 });
  const slow = `export default async () => { await new Promise((resolve) => setTimeout(resolve, 100)); return new Response('ok'); }`;
  await app.deploy({ '/greedy': `export const config = { concurrency: 1, maxWorkers: 4 }; ${slow}`, '/small': slow });
  let done = false;
  const greedy = drive(app, '/greedy', { lanes: 8, until: () => done });
  await eventually(() => app.stats('greedy').workers === 4, { deadlineMs: 15_000 });
  expect((await app.get('/small')).status).toBe(200);
  expect(app.stats('small').workers).toBe(1);
  done = true;
  // On a busy machine its queue may stand too long.
  expect((await greedy).filter((status) => status !== 200 && status !== 503)).toEqual([]);
  await eventually(() => app.app.stats().leaving === 0);
  expect(app.app.stats()).toMatchObject({ starving: 0, queued: 0, inFlight: 0 });
});

test('function whose workers die one after the other is closed, told why, and answers again once it can', async () => {
  const app = await startApp();
  const flag = join(app.dir, 'fixed');
  await app.deploy({
    '/f': `import { existsSync } from 'node:fs';
      export default () => { if (!existsSync(${JSON.stringify(flag)})) process.exit(7); return new Response('fine'); }`,
  });
  const answers = [];
  for (let i = 0; i < 6; i++) answers.push(await app.get('/f'));
  expect(answers.map(({ json }) => json().code)).toEqual([
    ...Array.from({ length: 5 }, () => 'FN_WORKER_DIED'),
    'FN_CRASHING',
  ]);
  const refused = answers.at(-1)!;
  expect([refused.status, Number(refused.headers['retry-after'])]).toEqual([503, 1]);
  expect(refused.json().detail).toContain('next try in');
  expect(app.stats('f')).toMatchObject({ state: 'open', workers: 0 });
  expect(app.stats('f').reason).toContain('process.exit, code 7');
  await writeFile(flag, '');
  await eventually(async () => (await app.get('/f')).text === 'fine', { deadlineMs: 15_000, everyMs: 100 });
  await eventually(() => app.stats('f').state === 'ok');
  expect(app.stats('f')).toMatchObject({ reason: null, retryInMs: null });
});

test('inputs that kill their worker do not close the function to the others', async () => {
  const app = await startApp();
  await app.deploy({
    '/f': `export default (r) => { if (r.url.endsWith('?exit')) process.exit(1); return new Response('fine'); }`,
  });
  for (let i = 0; i < 8; i++) {
    expect((await app.get('/f?exit')).json().code).toBe('FN_WORKER_DIED');
    expect((await app.get('/f')).text).toBe('fine');
  }
  expect(app.stats('f').state).toBe('ok');
});

test('function that stops loading backs off, and says why', async () => {
  const app = await startApp();
  const flag = join(app.dir, 'broken');
  await app.deploy({
    '/f': `import { existsSync } from 'node:fs';
      if (existsSync(${JSON.stringify(flag)})) throw new Error('no database');
      export default (r) => { if (r.url.endsWith('?exit')) process.exit(1); return new Response('fine'); }`,
  });
  expect((await app.get('/f')).text).toBe('fine');
  await writeFile(flag, '');
  await app.get('/f?exit');
  await eventually(async () => {
    const { status, headers, json } = await app.get('/f');
    return status === 503 && json().code === 'FN_LOAD_FAILED' && Number(headers['retry-after']) >= 1;
  });
  expect(app.stats('f').state).toBe('backoff');
  expect(app.stats('f').reason).toContain('no database');
});

test('worker that computes for long goes behind the main thread, although nobody else asks for its function', async () => {
  const app = await startApp();
  await app.deploy({
    '/f': `import { readlinkSync } from 'node:fs';
      import { getPriority } from 'node:os';
      export const config = { minWorkers: 1 };
      const tid = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
      export default () => {
        const end = performance.now() + 8_000;
        while (getPriority(tid) === 0 && performance.now() < end);
        return new Response(String(getPriority(tid)));
      };`,
  });
  expect(Number((await app.get('/f')).text)).toBe(workerLimits.niceness);
});
