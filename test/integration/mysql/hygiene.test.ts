import { afterAll, beforeAll, expect, test } from 'vitest';
import { fetchFrom } from '../../support/http.ts';
import { startHost } from '../../support/host.ts';
import type { TestHost } from '../../support/host.ts';
import { importMysql, startMariaDb } from '../../support/mariadb.ts';
import type { MariaDb } from '../../support/mariadb.ts';

let db: MariaDb;
beforeAll(async () => {
  // A server whose own character set and zone are not the ones of the sessions.
  db = await startMariaDb({ args: ['--character-set-server=latin1', '--default-time-zone=+05:00'] });
  await db.sql(
    'USE app',
    'CREATE TABLE notes (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(100))',
    'CREATE FUNCTION sneak() RETURNS INT DETERMINISTIC BEGIN SET @sneaked = 5; RETURN 1; END',
    'CREATE FUNCTION last_id() RETURNS INT READS SQL DATA RETURN LAST_INSERT_ID()',
    'CREATE PROCEDURE tell_last_id() SELECT LAST_INSERT_ID() AS id',
    'CREATE TABLE triggered (id INT)',
    'CREATE TRIGGER leave_it BEFORE INSERT ON triggered FOR EACH ROW SET @triggered = 7',
  );
});
afterAll(() => db[Symbol.asyncDispose]());

/** One function, one connection: what one request leaves, the next one would meet. */
async function start(body: string, database: object = {}): Promise<TestHost & { ask(path: string): Promise<unknown> }> {
  const host = await startHost();
  const source = `${importMysql}
    export const config = { maxWorkers: 1 };
    ${body}`;
  await host.deploy({ '/': source }, { env: { DATABASE_URL: db.url }, database: { maxConnections: 1, ...database } });
  return {
    ...host,
    ask: async (path) => {
      const { status, text } = await fetchFrom(host.target, { path });
      const body = JSON.parse(text) as unknown;
      return status === 200 ? body : { status, body };
    },
  };
}

const byQuery = `
  export default async (request) => {
    const url = new URL(request.url);
    const run = async (on) => {
      let rows = [];
      for (const sql of url.searchParams.getAll('sql')) [rows] = await on.query(sql);
      return rows;
    };
    if (url.searchParams.get('how') === 'pool') return Response.json(await run(pool));
    const connection = await pool.getConnection();
    try {
      return Response.json(await run(connection));
    } catch (error) {
      return Response.json({ error: error.message });
    } finally {
      connection.release();
    }
  };`;
const path = (how: string, ...sql: string[]): string =>
  `/?how=${how}&${sql.map((each) => `sql=${encodeURIComponent(each)}`).join('&')}`;

const look =
  "SELECT CONNECTION_ID() AS id, @x AS x, @sneaked AS sneaked, @triggered AS triggered, DATABASE() AS db, @@autocommit AS autocommit, @@in_transaction AS open, @@time_zone AS zone, @@character_set_results AS charset, @@sql_mode AS mode, IS_USED_LOCK('l') AS locked, @@max_statement_time AS time";
const clean = {
  x: null,
  sneaked: null,
  triggered: null,
  db: 'app',
  autocommit: 1,
  open: 0,
  zone: '+00:00',
  charset: 'utf8mb4',
  mode: expect.stringContaining('IGNORE_SPACE'),
  locked: null,
  time: 0,
};

const left: readonly [string, string[]][] = [
  ['a user variable', ['SET @x = 1']],
  ['a user variable set in a SELECT', ['SELECT @x := 1']],
  ['a user variable set by a function', ['SELECT sneak()']],
  ['a user variable set by a trigger', ['INSERT INTO triggered VALUES (1)']],
  ['another database', ['USE other']],
  ['autocommit off', ['SET autocommit = 0']],
  ['an open transaction', ['BEGIN', 'INSERT INTO notes (text) VALUES ("open")']],
  ['a lock', ["SELECT GET_LOCK('l', 0)"]],
  ['a session variable', ["SET SESSION sql_mode = 'ANSI', max_statement_time = 9"]],
  ['another character set', ['SET NAMES latin1']],
  ['a zone', ["SET time_zone = '+03:00'"]],
];

test('what a borrower left is not visible to the next', async () => {
  const { ask } = await start(byQuery);
  const before = (await ask(path('pool', look))) as [{ id: number }];
  expect(before).toEqual([{ ...clean, id: expect.any(Number) }]);
  for (const [what, statements] of left) {
    await ask(path('connection', ...statements));
    expect([what, await ask(path('pool', look))]).toEqual([what, before]);
    expect(await ask(path('pool', "SELECT COUNT(*) AS n FROM notes WHERE text = 'open'"))).toEqual([{ n: 0 }]);
  }
});

test('temporary tables, prepared statements and what LAST_INSERT_ID() tells are gone with their borrower', async () => {
  const { ask } = await start(byQuery);
  await ask(path('connection', 'CREATE TEMPORARY TABLE t (a INT)', "PREPARE p FROM 'SELECT 1'"));
  expect(await ask(path('connection', 'SELECT * FROM t'))).toMatchObject({ error: /doesn't exist/ });
  expect(await ask(path('connection', 'EXECUTE p'))).toMatchObject({ error: /Unknown prepared statement/ });
  await ask(path('pool', "INSERT INTO notes (text) VALUES ('a')"));
  expect(await ask(path('pool', 'SELECT LAST_INSERT_ID() AS id'))).toEqual([{ id: 0 }]);
  expect(
    await ask(path('connection', "INSERT INTO notes (text) VALUES ('b')", 'SELECT LAST_INSERT_ID() > 0 AS own')),
  ).toEqual([{ own: 1 }]);
});

test('an id that another borrower made is not told, and one of its own is', async () => {
  const { ask } = await start(byQuery);
  const insert = "INSERT INTO notes (text) VALUES ('c')";
  const show = 'SELECT LAST_INSERT_ID() AS id';
  const foreign: readonly string[][] = [
    [show],
    ['SELECT 1', show],
    ['SELECT 1', 'SELECT last_id() AS id'],
    ['SELECT 1', 'SELECT @@identity AS id'],
    ['BEGIN', "UPDATE notes SET text = 'd'", show],
    // One that is given makes none.
    ["INSERT INTO notes (id, text) VALUES (900000, 'given')", 'DELETE FROM notes WHERE id = 900000', show],
    ['INSERT INTO triggered VALUES (1)', show],
  ];
  for (const statements of foreign) {
    await ask(path('pool', insert));
    expect([statements, await ask(path('connection', ...statements))]).toEqual([statements, [{ id: 0 }]]);
  }
  await ask(path('pool', insert));
  expect(await ask(path('connection', 'SELECT 1', 'CALL tell_last_id()'))).toMatchObject([[{ id: 0 }], {}]);
  for (const before of [[], ['SELECT 1'], ['BEGIN']]) {
    await ask(path('pool', insert));
    const [{ own }] = (await ask(path('connection', ...before, insert, 'SELECT LAST_INSERT_ID() AS own'))) as [
      { own: number },
    ];
    expect(await ask(path('pool', 'SELECT MAX(id) AS own FROM notes'))).toEqual([
      { own: before[0] === 'BEGIN' ? own - 1 : own },
    ]);
  }
  const made = (await ask(path('pool', insert))) as { insertId: number };
  expect(await ask(path('pool', 'SELECT MAX(id) AS insertId FROM notes'))).toEqual([{ insertId: made.insertId }]);
});

test('a connection that was not touched is used again without a reset, and a touched one with one', async () => {
  const { ask } = await start(byQuery);
  const resets = async (): Promise<number> => {
    const [row] = await db.sql("SHOW GLOBAL STATUS LIKE 'Com_reset'");
    const [other] = await db.sql("SHOW GLOBAL STATUS LIKE 'Com_set_option'");
    return Number(row?.['Value'] ?? 0) + Number(other!['Value']);
  };
  await ask(path('pool', 'SELECT 1'));
  const before = await resets();
  for (let i = 0; i < 3; i++) await ask(path('pool', "SELECT COUNT(*) FROM notes WHERE text = 'x'"));
  for (let i = 0; i < 3; i++)
    await ask(path('connection', 'BEGIN', "UPDATE notes SET text = 'y' WHERE id = 0", 'COMMIT'));
  for (let i = 0; i < 3; i++) await ask(path('pool', "INSERT INTO notes (text) VALUES ('z')"));
  expect(await resets()).toBe(before);
  await ask(path('pool', 'SELECT @x := 2'));
  await ask(path('pool', 'SELECT 1'));
  expect(await resets()).toBeGreaterThan(before);
});

test('a connection that is never released is taken back when the invocation ends, and the line is named', async () => {
  const { ask, logged } = await start(`
    export default async () => {
      const connection = await pool.getConnection();
      await connection.query('SET @x = 1');
      return Response.json(connection.threadId);
    };`);
  const first = await ask('/');
  // With one connection for all, the second would wait in vain.
  expect(await ask('/')).toEqual(first);
  const { message, requestId } = await logged(({ level }) => level === 'warn');
  expect(message).toMatch(
    /a connection of the database "main" was taken and not released \(functions\/index\.mjs:6\); it was taken back/,
  );
  expect(requestId).toEqual(expect.any(String));
});

test('waitUntil keeps a connection until it is over', async () => {
  const { ask, logs } = await start(`
    export default async (request, ctx) => {
      const connection = await pool.getConnection();
      ctx.waitUntil((async () => {
        await connection.query('SELECT SLEEP(0.05)');
        await connection.query('INSERT INTO notes (text) VALUES ("later")');
        connection.release();
      })());
      return Response.json(1);
    };`);
  await ask('/');
  await ask('/');
  expect(logs.filter(({ level }) => level !== 'info')).toEqual([]);
});
