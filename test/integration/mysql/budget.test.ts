import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { databaseLimits } from '../../../runtime/contract/limits.ts';
import { eventually } from '../../support/deadline.ts';
import { fetchFrom } from '../../support/http.ts';
import { startHost } from '../../support/host.ts';
import { importMysql, startMariaDb } from '../../support/mariadb.ts';
import type { MariaDb } from '../../support/mariadb.ts';

let db: MariaDb;
beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db[Symbol.asyncDispose]());

/** More of them show more and take longer: FNRUN_TEST_FUNCTIONS=100 for a machine that has the time. */
const functions = Number(process.env['FNRUN_TEST_FUNCTIONS'] ?? 12);
const maxConnections = 5;

/**
 * The server closes a connection before it counts it off, on a busy machine some looks later; one that is too many stays for longer
 * than this.
 */
const countedOffMs = 50;

/**
 * Looks at the server's own count of connections until `work` is done: the most that all looks of `countedOffMs` found, and a
 * single one.
 */
async function sampled(work: () => Promise<void>): Promise<{ samples: number; most: number; once: number }> {
  let samples = 0;
  let most = 0;
  let once = 0;
  let recent: { at: number; count: number }[] = [];
  let done = false;
  const working = work().finally(() => (done = true));
  while (!done) {
    const count = await db.connections();
    const now = performance.now();
    recent.push({ at: now, count });
    if (now - recent[0]!.at >= countedOffMs) {
      most = Math.max(most, Math.min(...recent.map((look) => look.count)));
      recent = recent.filter(({ at }) => now - at < countedOffMs);
    }
    once = Math.max(once, count);
    samples++;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await working;
  return { samples, most, once };
}

function release(version: number): Record<string, string> {
  const source = `${importMysql}
    export const config = { maxWorkers: 2 };
    export default async () => {
      const [[row]] = await pool.query('SELECT ${version} AS version, SLEEP(0.002) AS slept');
      return Response.json(row.version);
    };`;
  return Object.fromEntries(Array.from({ length: functions }, (_, index) => [`/f${index}`, source]));
}

test(
  'functions at full load, switches and a new process never have more connections than the budget',
  { timeout: 180_000 },
  async () => {
    const { target, deploy, logs } = await startHost();
    const app = {
      env: { DATABASE_URL: db.url },
      database: { maxConnections, acquireTimeoutMs: 10_000, connectTimeoutMs: 10_000 },
    };
    await deploy(release(1), app);
    const answers = new Map<string, number>();
    let stop = false;
    const client = async (offset: number): Promise<void> => {
      for (let turn = 0; !stop; turn++) {
        const path = `/f${(offset * 7 + turn * 13) % functions}`;
        const { status, text } = await fetchFrom(target, { path, deadlineMs: 30_000 });
        const answer = status === 200 ? '200' : (JSON.parse(text) as { code: string }).code;
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
    };
    const { samples, most } = await sampled(async () => {
      const clients = Array.from({ length: functions * 2 }, (_, index) => client(index));
      await deploy(release(2), app);
      await deploy(release(3), app);
      // Another number of open files needs another process: there are two for a while.
      await deploy(release(4), { ...app, limits: { openFiles: 4096 } });
      await deploy(release(5), { ...app, limits: { openFiles: 4096 } });
      stop = true;
      await Promise.all(clients);
    });
    // At its limit, too: else nothing was shown.
    expect(most).toBe(maxConnections);
    expect(samples).toBeGreaterThan(50);
    const errors = logs.filter(({ message }) => message.includes('FN_DB')).map(({ message }) => message);
    // A busy machine may not start a process's threads in time: that is not for a connection.
    answers.delete('FN_OVERLOADED');
    expect([[...answers.keys()], errors]).toEqual([['200'], []]);
  },
);

test(
  'connections of a process that was killed count until the server has ended them, statements and all',
  { timeout: 60_000 },
  async () => {
    const { host, target, deploy, logs } = await startHost();
    // What waits for a row does not look whether its client is still there, as SLEEP does every 5 seconds.
    await db.sql(
      'CREATE TABLE app.held (id INT PRIMARY KEY)',
      'INSERT INTO app.held VALUES (1)',
      'START TRANSACTION',
      'SELECT * FROM app.held FOR UPDATE',
    );
    const statement = 'SELECT id FROM held FOR UPDATE';
    const config = 'export const config = { concurrency: 1, maxWorkers: 3, timeoutMs: 60_000 };';
    const slow = `${importMysql}
      ${config}
      export default async () => Response.json(await pool.query('${statement}'));`;
    const quick = `${importMysql}
      ${config}
      export default async () => Response.json(await pool.query('SELECT 1 AS one, SLEEP(0.3)'));`;
    const sleeping = async (): Promise<number> => {
      const rows = await db.sql(`SELECT ID FROM information_schema.PROCESSLIST WHERE INFO = '${statement}'`);
      return rows.length;
    };
    await deploy(
      { '/slow': slow, '/quick': quick },
      {
        env: { DATABASE_URL: db.url },
        database: { maxConnections: 3, acquireTimeoutMs: 10_000, connectTimeoutMs: 10_000, queryTimeoutMs: 60_000 },
      },
    );
    const dropped = Array.from({ length: 3 }, () =>
      fetchFrom(target, { path: '/slow', deadlineMs: 60_000 }).catch((error: Error) => error.message),
    );
    await eventually(async () => (await sleeping()) === 3, { deadlineMs: 20_000 });
    // What a process opened in its last moments the daemon does not know, and so nobody can end it.
    await sleep(databaseLimits.reportMs * 4);
    process.kill(host.status().pid!, 'SIGKILL');
    const { once } = await sampled(async () => {
      const answers = await Promise.all(
        Array.from({ length: 6 }, () => fetchFrom(target, { path: '/quick', deadlineMs: 20_000 })),
      );
      for (const { status, text } of answers) expect([status, text]).toEqual([200, expect.stringContaining('"one":1')]);
      await eventually(async () => (await sleeping()) === 0, { deadlineMs: 10_000 });
    });
    // One more is opened to ask for the end of those that are all the app may have.
    expect(once).toBeLessThanOrEqual(4);
    await db.sql('ROLLBACK');
    await Promise.all(dropped);
    expect(logs.filter(({ message }) => message.includes('FN_DB'))).toEqual([]);
  },
);
