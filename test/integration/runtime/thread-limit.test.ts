import { expect, test } from 'vitest';
import { workerLimits } from '../../../runtime/contract/limits.ts';
import { startHost } from '../../support/host.ts';
import { fetchFrom } from '../../support/http.ts';
import { writeRelease } from '../../support/release.ts';

const count = workerLimits.threadsMax + 12;

test(
  'an app with more functions than threads answers all of them, and can be deployed',
  { timeout: 120_000 },
  async () => {
    const { host, target, dir } = await startHost();
    const modules = (version: number): Record<string, string> =>
      Object.fromEntries(
        Array.from({ length: count }, (_, i) => [`/f${i}`, `export default () => new Response('${version} ${i}')`]),
      );
    const first = await writeRelease(dir, modules(1), { id: 'one' });
    await host.load(first, { check: true });
    await host.activate(first);
    const ask = async (path: string): Promise<string> => (await fetchFrom(target, { path, deadlineMs: 60_000 })).text;
    for (let i = 0; i < count; i += 20) {
      const some = Array.from({ length: Math.min(20, count - i) }, (_, k) => i + k);
      expect(await Promise.all(some.map((k) => ask(`/f${k}`)))).toEqual(some.map((k) => `1 ${k}`));
    }
    const full = await host.stats();
    expect(full!.threads).toBeLessThanOrEqual(workerLimits.threadsMax);
    const { functions } = await host.load(await writeRelease(dir, modules(2), { id: 'two' }), { check: true });
    expect(functions.filter((entry) => entry.error !== null)).toEqual([]);
    expect(functions).toHaveLength(count);
  },
);
