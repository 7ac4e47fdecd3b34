import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../support/deadline.ts';
import { fetchFrom } from '../../support/http.ts';
import type { HttpResponse } from '../../support/http.ts';
import { startHost } from '../../support/host.ts';
import type { TestHost } from '../../support/host.ts';
import { importMysql, startMariaDb } from '../../support/mariadb.ts';
import type { MariaDb } from '../../support/mariadb.ts';

let db: MariaDb;
beforeAll(async () => {
  db = await startMariaDb({ args: ['--default-time-zone=+05:00', '--innodb-lock-wait-timeout=1'] });
  await db.sql(
    'CREATE TABLE app.accounts (id INT PRIMARY KEY, amount INT)',
    'INSERT INTO app.accounts VALUES (1, 100), (2, 100)',
  );
});
afterAll(() => db[Symbol.asyncDispose]());

async function serve(
  body: string,
  database: object = {},
): Promise<TestHost & { ask(path?: string, signal?: AbortSignal): Promise<HttpResponse> }> {
  const host = await startHost();
  const env = { DATABASE_URL: db.url, REPORTS_URL: db.url.replace('/app?', '/other?') };
  await host.deploy({ '/': `${importMysql}${body}` }, { env, database });
  const ask = (path = '/', signal?: AbortSignal): Promise<HttpResponse> =>
    fetchFrom(host.target, { path, deadlineMs: 15_000, ...(signal !== undefined && { signal }) });
  return { ...host, ask };
}

const running = async (text: string): Promise<number> =>
  (await db.sql(`SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE '${text}%'`)).length;

test('values come as docs/mysql.md says: exact numbers, UTC times, days as text', async () => {
  const { ask } = await serve(`
    const show = (row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, v instanceof Date ? 'Date ' + v.toISOString() : typeof v + ' ' + v]));
    export default async () => {
      await pool.query('CREATE TABLE IF NOT EXISTS kinds (big BIGINT, small BIGINT, price DECIMAL(30,10), day DATE, at DATETIME(3), stamp TIMESTAMP(3) NULL)');
      await pool.query('TRUNCATE kinds');
      const at = new Date('2026-01-02T23:30:00.123Z');
      const values = [9007199254740993n, 5, '12345678901234567890.0123456789', '2026-01-02', at, at];
      await pool.query('INSERT INTO kinds VALUES (?)', [values]);
      const [[text]] = await pool.query('SELECT * FROM kinds');
      const [[binary]] = await pool.execute('SELECT * FROM kinds');
      return Response.json([show(text), show(binary)]);
    };`);
  const { text } = await ask();
  const expected = {
    big: 'string 9007199254740993',
    small: 'number 5',
    price: 'string 12345678901234567890.0123456789',
    day: 'string 2026-01-02',
    at: 'Date 2026-01-02T23:30:00.123Z',
    stamp: 'Date 2026-01-02T23:30:00.123Z',
  };
  expect(JSON.parse(text)).toEqual([expected, expected]);
  // The moment is the same for whoever else looks at the table.
  expect(await db.sql('SELECT UNIX_TIMESTAMP(stamp) AS s FROM app.kinds')).toEqual([{ s: '1767396600.123' }]);
});

test('transaction commits, rolls back on a throw, and tries again after a deadlock', async () => {
  const { ask } = await serve(`
    let tries = 0;
    const move = (from, to) => transaction(async (tx) => {
      tries++;
      await tx.query('UPDATE accounts SET amount = amount - 1 WHERE id = ?', [from]);
      await new Promise((resolve) => setTimeout(resolve, 100));
      await tx.query('UPDATE accounts SET amount = amount + 1 WHERE id = ?', [to]);
    });
    export default async () => {
      const failed = await transaction(async (tx) => {
        await tx.query('UPDATE accounts SET amount = 0');
        throw new Error('no');
      }).catch((error) => error.message);
      await Promise.all([move(1, 2), move(2, 1)]);
      const [rows] = await pool.query('SELECT SUM(amount) AS sum, MIN(amount) AS least FROM accounts');
      return Response.json({ failed, rows, again: tries > 2 });
    };`);
  expect(JSON.parse((await ask()).text)).toEqual({ failed: 'no', rows: [{ sum: '200', least: 100 }], again: true });
});

test('a transaction that waits too long for a lock is tried again and gives up after its retries', async () => {
  const { ask } = await serve(`
    export default async () => {
      let tries = 0;
      const error = await transaction(async (tx) => {
        tries++;
        await tx.query('UPDATE accounts SET amount = 1 WHERE id = 1');
      }, { retries: 1 }).catch((error) => error.errno);
      return Response.json([tries, error]);
    };`);
  await db.sql('USE app', 'BEGIN', 'UPDATE accounts SET amount = amount WHERE id = 1');
  try {
    expect(JSON.parse((await ask()).text)).toEqual([2, 1205]);
  } finally {
    await db.sql('ROLLBACK');
  }
});

test('a statement ends before its invocation does, is ended on the server, and its connection with it', async () => {
  const { ask } = await serve(
    `
    export const config = { timeoutMs: 1000 };
    // Not within the invocation: on a busy machine that alone may take a second.
    await pool.query('SELECT 1');
    export default async () => {
      const before = performance.now();
      const error = await pool.query('SELECT SLEEP(7)').catch((error) => error.message);
      return Response.json([error, performance.now() - before < 1000]);
    };`,
    { maxConnections: 2 },
  );
  const { status, text } = await ask();
  expect([status, JSON.parse(text)]).toEqual([200, [expect.stringContaining('did not answer in time'), true]]);
  await eventually(async () => (await running('SELECT SLEEP(7)')) === 0);
});

test('statements of a client that has gone are killed when killOnAbort says so, and only then', async () => {
  const body = `
    export default async (request) => {
      const [rows] = await pool.query('SELECT SLEEP(6)');
      return Response.json(rows);
    };`;
  for (const killOnAbort of [true, false]) {
    const { ask } = await serve(body, { killOnAbort, maxConnections: 2 });
    const controller = new AbortController();
    const asked = ask('/', controller.signal).catch(() => null);
    await eventually(async () => (await running('SELECT SLEEP(6)')) === 1);
    controller.abort();
    await asked;
    if (killOnAbort) await eventually(async () => (await running('SELECT SLEEP(6)')) === 0, { deadlineMs: 3_000 });
    else expect(await running('SELECT SLEEP(6)')).toBe(1);
  }
});

test('a named database has its own variable and budget, and what was used is counted by function', async () => {
  const { ask, host } = await serve(
    `
    const reports = database('reports');
    export default async () => {
      const [[main]] = await pool.query('SELECT DATABASE() AS name');
      const [[other]] = await reports.pool.query('SELECT DATABASE() AS name');
      return Response.json([main.name, other.name]);
    };`,
    { named: { reports: { env: 'REPORTS_URL', maxConnections: 3 } } },
  );
  expect(JSON.parse((await ask()).text)).toEqual(['app', 'other']);
  const stats = await eventually(async () => {
    const now = (await host.stats())!;
    return now.functions[0]!.database?.queries === 2 ? now : null;
  });
  expect(stats.connections).toEqual({ main: { used: 1, limit: 10 }, reports: { used: 1, limit: 3 } });
  expect(stats.functions[0]!.database).toMatchObject({ queries: 2, rows: 2, busy: 0, connections: 2 });
});

test('a function whose app has no DATABASE_URL loads, and says what is missing when it asks', async () => {
  const host = await startHost();
  const module = `${importMysql}
    export default async () => Response.json(await pool.query('SELECT 1').catch((error) => error.message));`;
  await host.deploy({ '/': module });
  expect(JSON.parse((await fetchFrom(host.target, { path: '/' })).text)).toContain('DATABASE_URL is not set');
});

test('in development a response tells what it took of the database, and so does the log', async () => {
  const host = await startHost({ dev: true });
  const module = `${importMysql}
    export default async () => Response.json(await pool.query('SELECT 1 AS one'));`;
  await host.deploy({ '/': module }, { env: { DATABASE_URL: db.url } });
  const { headers } = await fetchFrom(host.target, { path: '/' });
  expect(headers['server-timing']).toMatch(/^db;dur=[\d.]+;desc="1 queries, 1 rows", wait;dur=[\d.]+$/);
  expect((await host.logged(({ access }) => access !== undefined)).message).toContain('(db;dur=');
});
