import { afterAll, beforeAll, expect, test } from 'vitest';
import { fetchFrom } from '../../support/http.ts';
import { startHost } from '../../support/host.ts';
import { importMysql, startMariaDb } from '../../support/mariadb.ts';
import type { MariaDb } from '../../support/mariadb.ts';

let db: MariaDb;
beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db[Symbol.asyncDispose]());

/** Looks at the server's own count of connections until `work` is done. */
async function sampled(work: () => Promise<void>): Promise<{ samples: number; most: number }> {
  let samples = 0;
  let most = 0;
  let done = false;
  const working = work().finally(() => (done = true));
  while (!done) {
    most = Math.max(most, await db.connections());
    samples++;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await working;
  return { samples, most };
}

test(
  'functions at full load, switches and a new process never have more connections than the budget',
  { timeout: 90_000 },
  async () => {
    const maxConnections = 5;
    const functions = Number(process.env['FNRUN_TEST_FUNCTIONS'] ?? 12);
    const { target, deploy } = await startHost();
    const release = (version: number): Record<string, string> =>
      Object.fromEntries(
        Array.from({ length: functions }, (_, index) => [
          `/f${index}`,
          `${importMysql}
        export const config = { maxWorkers: 2 };
        export default async () => {
          const [[row]] = await pool.query('SELECT ${version} AS version, SLEEP(0.002) AS slept');
          return Response.json(row.version);
        };`,
        ]),
      );
    const env = { DATABASE_URL: db.url };
    const database = { maxConnections, acquireTimeoutMs: 10_000 };
    await deploy(release(1), { env, database });
    const statuses = new Map<number, number>();
    let stop = false;
    const client = async (offset: number): Promise<void> => {
      for (let turn = 0; !stop; turn++) {
        const { status } = await fetchFrom(target, {
          path: `/f${(offset * 7 + turn * 13) % functions}`,
          deadlineMs: 30_000,
        });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    const { samples, most } = await sampled(async () => {
      const clients = Array.from({ length: 24 }, (_, index) => client(index));
      await deploy(release(2), { env, database });
      await deploy(release(3), { env, database });
      // Other limits need another process: there are two for a while.
      await deploy(release(4), { env, database, limits: { openFiles: 4096 } });
      await deploy(release(5), { env, database, limits: { openFiles: 4096 } });
      stop = true;
      await Promise.all(clients);
    });
    // At its limit, too: else nothing was shown.
    expect(most).toBe(maxConnections);
    expect(samples).toBeGreaterThan(50);
    expect([...statuses.keys()]).toEqual([200]);
  },
);
