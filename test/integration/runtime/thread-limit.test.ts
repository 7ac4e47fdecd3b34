import { expect, test } from 'vitest';
import { startApp } from '../../support/app.ts';

const threads = 12;
const count = 40;

test(
  'an app with more functions than threads answers all of them, and can be deployed',
  { timeout: 120_000 },
  async () => {
    const { app, pool, deploy, get } = await startApp({ threads });
    const modules = (version: number): Record<string, string> =>
      Object.fromEntries(
        Array.from({ length: count }, (_, i) => [`/f${i}`, `export default () => new Response('${version} ${i}')`]),
      );
    const askAll = async (version: number): Promise<void> => {
      for (let i = 0; i < count; i += 10) {
        const some = Array.from({ length: 10 }, (_, k) => i + k);
        const answers = await Promise.all(some.map((k) => get(`/f${k}`)));
        expect(answers.map(({ text }) => text)).toEqual(some.map((k) => `${version} ${k}`));
        expect(pool.size).toBeLessThanOrEqual(threads);
      }
    };
    await deploy(modules(1));
    await askAll(1);
    expect(app.stats().threadsMax).toBe(threads);
    await deploy(modules(2));
    await askAll(2);
  },
);
