import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { fetchFrom } from '../support/http.ts';
import type { HttpResponse } from '../support/http.ts';
import { startHost } from '../support/host.ts';
import type { TestHost } from '../support/host.ts';
import { importMysql, startMariaDb } from '../support/mariadb.ts';
import type { MariaDb } from '../support/mariadb.ts';
import { startTcpProxy } from './support/tcp-proxy.ts';

let db: MariaDb;
beforeAll(async () => {
  db = await startMariaDb();
  await db.sql('CREATE TABLE app.notes (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(100))');
});
afterAll(() => db[Symbol.asyncDispose]());

const source = `${importMysql}
  export default async (request) => {
    const url = new URL(request.url);
    const [rows] = await pool.query(url.searchParams.get('sql') ?? 'SELECT CONNECTION_ID() AS id');
    return Response.json(rows);
  };`;

type Served = TestHost & { ask(sql?: string): Promise<HttpResponse & { code: string | null; ms: number }> };

async function serve(url: string, database: object = {}, module = source): Promise<Served> {
  const host = await startHost();
  await host.deploy({ '/': module }, { env: { DATABASE_URL: url }, database: { maxConnections: 4, ...database } });
  return {
    ...host,
    ask: async (sql) => {
      const before = performance.now();
      const path = sql === undefined ? '/' : `/?sql=${encodeURIComponent(sql)}`;
      const response = await fetchFrom(host.target, { path, deadlineMs: 15_000 });
      const code = response.status === 200 ? null : (JSON.parse(response.text) as { code: string }).code;
      return { ...response, code, ms: performance.now() - before };
    },
  };
}

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'a database that ends by %s and comes back costs 503 in between and nothing after it',
  { timeout: 60_000 },
  async (signal) => {
    const { ask } = await serve(db.url);
    // Several connections, so that several are dead afterwards.
    await Promise.all(Array.from({ length: 4 }, () => ask('SELECT SLEEP(0.05)')));
    const running = Promise.all(Array.from({ length: 3 }, () => ask('SELECT SLEEP(20)')));
    await eventually(
      async () =>
        (await db.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(20)'")).length === 3,
    );
    await db.stop(signal);
    for (const { status, code, headers } of await running) {
      expect([status, code, headers['retry-after']]).toEqual([503, 'FN_DB_UNAVAILABLE', '1']);
    }
    for (let i = 0; i < 3; i++) {
      const { status, code, ms } = await ask();
      expect([status, code]).toEqual([503, 'FN_DB_UNAVAILABLE']);
      expect(ms).toBeLessThan(2_500);
    }
    await db.start();
    // None of the connections of before is given to anybody.
    const after = await Promise.all(Array.from({ length: 8 }, () => ask()));
    expect(after.map(({ status }) => status)).toEqual(after.map(() => 200));
  },
);

test(
  'a database that answers nothing is 503 at the timeout, and each dead connection is met at most once',
  { timeout: 60_000 },
  async () => {
    await using proxy = await startTcpProxy(db.port);
    const { ask } = await serve(db.tcpUrl(proxy.port), {
      queryTimeoutMs: 400,
      connectTimeoutMs: 400,
      acquireTimeoutMs: 1_000,
    });
    await Promise.all(Array.from({ length: 4 }, () => ask('SELECT SLEEP(0.05)')));
    proxy.stall();
    const first = await Promise.all(Array.from({ length: 6 }, () => ask()));
    for (const { status, code, ms } of first) {
      expect([status, code?.startsWith('FN_DB_')]).toEqual([503, true]);
      expect(ms).toBeLessThan(4_000);
    }
    proxy.resume();
    // What was in use when it went silent is gone; what comes next is new.
    await eventually(async () => (await ask()).status === 200, { deadlineMs: 10_000 });
    const after = await Promise.all(Array.from({ length: 8 }, () => ask()));
    expect(after.map(({ status }) => status)).toEqual(after.map(() => 200));
  },
);

test(
  'a server without a free connection is asked again until the wait is over, then it is 503',
  { timeout: 60_000 },
  async () => {
    const { ask } = await serve(db.url, { acquireTimeoutMs: 600 });
    await db.sql("ALTER USER app@'%' WITH MAX_USER_CONNECTIONS 1");
    try {
      const running = "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(12)'";
      const blocker = ask('SELECT SLEEP(12)');
      await eventually(async () => (await db.sql(running)).length === 1, { deadlineMs: 20_000 });
      const { status, code, ms } = await ask();
      expect([status, code]).toEqual([503, expect.stringMatching(/^FN_DB_/)]);
      expect(ms).toBeLessThan(2_500);
      for (const { ID } of await db.sql(running)) await db.sql(`KILL QUERY ${Number(ID)}`);
      await blocker;
      expect((await ask()).status).toBe(200);
    } finally {
      await db.sql("ALTER USER app@'%' WITH MAX_USER_CONNECTIONS 0");
    }
  },
);

test('a read-only database serves reads, and writes are 503 until it takes them again', async () => {
  const { ask } = await serve(db.url);
  await db.sql('SET GLOBAL read_only = 1');
  try {
    const write = await ask("INSERT INTO notes (text) VALUES ('a')");
    expect([write.status, write.code]).toEqual([503, 'FN_DB_UNAVAILABLE']);
    expect((await ask()).status).toBe(200);
  } finally {
    await db.sql('SET GLOBAL read_only = 0');
  }
  expect((await ask("INSERT INTO notes (text) VALUES ('a')")).status).toBe(200);
});

test('a database that is full serves reads, and writes are 503', async () => {
  // What InnoDB says of a full disk, too: 1114.
  await db.sql('CREATE TABLE app.small (filler CHAR(255)) ENGINE = MEMORY MAX_ROWS = 1');
  const { ask } = await serve(db.url);
  const fill = 'INSERT INTO small SELECT REPEAT("x", 255) FROM information_schema.COLUMNS';
  await db.sql('SET GLOBAL max_heap_table_size = 16384', 'TRUNCATE app.small', 'ALTER TABLE app.small MAX_ROWS = 2');
  const write = await ask(fill);
  expect([write.status, write.code]).toEqual([503, 'FN_DB_UNAVAILABLE']);
  expect((await ask()).status).toBe(200);
});

test(
  'more demand than the budget waits, then is 503 with a line that has the numbers',
  { timeout: 60_000 },
  async () => {
    const { ask, logged } = await serve(db.url, { maxConnections: 1, acquireTimeoutMs: 300 });
    await ask();
    const blocker = ask('SELECT SLEEP(1)');
    await eventually(
      async () =>
        (await db.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(1)'")).length === 1,
    );
    const refused = await ask();
    expect([refused.status, refused.code, refused.headers['retry-after']]).toEqual([503, 'FN_DB_BUSY', '1']);
    expect(refused.ms).toBeLessThan(1_500);
    const { message } = await logged(({ message }) => message.startsWith('FN_DB_BUSY'));
    expect(message).toMatch(
      /within 3\d\d ms: 1 of the app's 1 connections are open; 1 in this worker, 1 of them in use, 0 more wait here/,
    );
    expect((await blocker).status).toBe(200);
    expect((await ask()).status).toBe(200);
  },
);

test(
  'connections of a thread that ended with a statement running count until the server has ended them',
  { timeout: 60_000 },
  async () => {
    const steady = `${importMysql}
    export const config = { maxWorkers: 1 };
    export default async () => {
      const [[row]] = await pool.query('SELECT CONNECTION_ID() AS id, SLEEP(0.02) AS slept');
      return Response.json(row.id);
    };`;
    const dying = `${importMysql}
    export default async () => {
      pool.query('SELECT SLEEP(8)');
      setTimeout(() => process.exit(1), 200);
      await new Promise(() => {});
    };`;
    const { target, deploy } = await startHost();
    const database = { maxConnections: 2, acquireTimeoutMs: 8_000 };
    await deploy({ '/steady': steady, '/dying': dying }, { env: { DATABASE_URL: db.url }, database });
    const ask = (path: string): Promise<HttpResponse> => fetchFrom(target, { path, deadlineMs: 20_000 });
    await ask('/steady');
    expect((await ask('/dying')).status).toBe(502);
    const statements = async (): Promise<number> =>
      (await db.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(8)'")).length;
    let most = 0;
    const asked = Promise.all(Array.from({ length: 12 }, () => ask('/steady')));
    let done = false;
    void asked.then(() => (done = true));
    while (!done) most = Math.max(most, await db.connections());
    expect((await asked).map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200));
    expect(most).toBe(2);
    expect(await statements()).toBe(0);
  },
);

test(
  'connections that are all lost with their thread are ended by one that is opened for it',
  { timeout: 60_000 },
  async () => {
    const module = `${importMysql}
    export const config = { maxWorkers: 1 };
    export default async (request) => {
      if (request.url.endsWith('die')) {
        for (let i = 0; i < 3; i++) pool.query('SELECT SLEEP(9)');
        setTimeout(() => process.exit(1), 200);
        await new Promise(() => {});
      }
      const [[row]] = await pool.query('SELECT CONNECTION_ID() AS id');
      return Response.json(row.id);
    };`;
    const { target, ask } = await serve(db.url, { maxConnections: 3, acquireTimeoutMs: 8_000 }, module);
    await ask();
    expect((await fetchFrom(target, { path: '/?die' })).status).toBe(502);
    const next = ask();
    let done = false;
    let most = 0;
    void next.then(() => (done = true));
    while (!done) most = Math.max(most, await db.connections());
    expect((await next).status).toBe(200);
    expect(most).toBeLessThanOrEqual(4);
  },
);
