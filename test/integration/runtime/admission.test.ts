import { expect, test } from 'vitest';
import { startApp } from '../../support/app.ts';
import { eventually } from '../../support/deadline.ts';
import type { HttpResponse } from '../../support/http.ts';

const one = `export const config = { concurrency: 1, maxWorkers: 1, minWorkers: 1, timeoutMs: 30_000 };`;

test(
  'overload is refused on arrival with Retry-After, and what is let in is answered',
  { timeout: 60_000 },
  async () => {
    const app = await startApp();
    await app.deploy({
      '/f': `${one} export default async () => { await new Promise((resolve) => setTimeout(resolve, 50)); return new Response('ok'); }`,
    });
    const answers: HttpResponse[] = [];
    let done = false;
    const lane = async (): Promise<void> => {
      while (!done) {
        const answer = await app.get('/f');
        answers.push(answer);
        if (answer.status !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const lanes = Array.from({ length: 60 }, lane);
    const refused = (): HttpResponse[] => answers.filter(({ status }) => status === 503);
    // 60 at once would wait for three seconds: the queue may stand for 0.7.
    await eventually(() => refused().length > 50 && app.stats('f').queued <= 25, { deadlineMs: 40_000 });
    done = true;
    await Promise.all(lanes);
    expect(refused().every(({ json }) => json().code === 'FN_OVERLOADED')).toBe(true);
    expect(refused().every(({ headers }) => Number(headers['retry-after']) >= 1)).toBe(true);
    expect(answers.every(({ status }) => status === 200 || status === 503)).toBe(true);
    await eventually(() => app.stats('f').inFlight === 0);
    expect(app.app.stats()).toMatchObject({ queued: 0, inFlight: 0 });
    expect((await app.get('/f')).status).toBe(200);
  },
);

test('client that leaves frees its place in the queue, and in the worker, at once', async () => {
  const app = await startApp();
  await app.deploy({
    '/f': `${one} export default (request) => new Promise((resolve, reject) => {
      request.signal.addEventListener('abort', () => reject(request.signal.reason));
      if (request.url.endsWith('?now')) resolve(new Response('ok'));
    });`,
  });
  const leaving = new AbortController();
  const gone = Array.from({ length: 5 }, () => app.get('/f', { signal: leaving.signal }).catch(() => 'gone'));
  await eventually(() => app.stats('f').inFlight === 1 && app.stats('f').queued === 4);
  leaving.abort();
  expect(await Promise.all(gone)).toEqual(['gone', 'gone', 'gone', 'gone', 'gone']);
  await eventually(() => app.stats('f').inFlight === 0 && app.stats('f').queued === 0);
  expect((await app.get('/f?now')).text).toBe('ok');
});
