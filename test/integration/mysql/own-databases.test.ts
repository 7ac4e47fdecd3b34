import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAdmin } from '../../../deploy/database/own/admin.ts';
import type { DatabaseAdmin } from '../../../deploy/database/own/admin.ts';
import { giveDatabase } from '../../../deploy/database/own/give.ts';
import type { DatabaseApp, DatabaseApps } from '../../../deploy/database/own/give.ts';
import { restoredSchema } from '../../../deploy/database/own/names.ts';
import { raiseConnections } from '../../../deploy/database/own/raise-connections.ts';
import { openRecords } from '../../../deploy/database/own/records.ts';
import { syncDatabases } from '../../../deploy/database/own/sync-databases.ts';
import { parseDatabaseUrl } from '../../../runtime/contract/database-url.ts';
import { startMariaDb } from '../../support/mariadb.ts';
import type { MariaDb } from '../../support/mariadb.ts';

let db: MariaDb;
let admin: DatabaseAdmin;
beforeAll(async () => {
  db = await startMariaDb({ args: ['--max-connections=50'] });
  admin = await openAdmin({ socketPath: db.socketPath });
});
afterAll(async () => {
  admin.close();
  await db[Symbol.asyncDispose]();
});

/** The apps of a server that is not there: what is tested is what happens on the database server. */
function appsOf(...list: DatabaseApp[]): DatabaseApps & { envs: Record<string, Record<string, string>> } {
  const envs: Record<string, Record<string, string>> = {};
  return {
    envs,
    list: async () => list,
    readEnv: async (app) => ({ ...envs[app] }),
    setEnv: async (app, set) => void (envs[app] = { ...envs[app], ...set }),
  };
}

const app = (name: string, createdAt = '2027-01-01T00:00:00.000Z'): DatabaseApp => ({
  name,
  createdAt,
  previewOf: null,
});

async function connect(url: string) {
  return await createConnection(parseDatabaseUrl(url, { name: 'DATABASE_URL' }));
}

test('each app gets a schema and a user who reaches that schema only, and previews get none', async () => {
  const long = 'a'.repeat(40);
  const apps = appsOf(app('shop'), app('shop-r2'), app(long), { ...app('topic--shop'), previewOf: 'shop' });
  const synced = await syncDatabases(admin, apps);
  expect(synced.map((one) => [one.app, one.outcome])).toEqual([
    ['shop', 'given'],
    ['shop-r2', 'given'],
    [long, 'given'],
  ]);
  const shop = await connect(apps.envs['shop']!['DATABASE_URL']!);
  const rows = async (sql: string) => (await shop.query(sql))[0] as Record<string, unknown>[];
  try {
    await shop.query('CREATE TABLE t (a INT)');
    expect((await rows('SHOW DATABASES')).map((row) => row['Database'])).toEqual(['fnrun_shop', 'information_schema']);
    await expect(shop.query('USE `fnrun_shop-r2`')).rejects.toMatchObject({ code: 'ER_DBACCESS_DENIED_ERROR' });
    // An underscore in a GRANT stands for any character unless it is escaped.
    await expect(shop.query('CREATE DATABASE fnrunxshop')).rejects.toMatchObject({ code: 'ER_DBACCESS_DENIED_ERROR' });
    await expect(shop.query('SELECT * FROM fnrun.app_databases')).rejects.toMatchObject({
      code: 'ER_TABLEACCESS_DENIED_ERROR',
    });
    // What restores need, and no other app has.
    await shop.query(`CREATE DATABASE ${restoredSchema('shop', new Date(0))}`);
    expect(await rows('SHOW DATABASES')).toHaveLength(3);
    await shop.query(`DROP DATABASE ${restoredSchema('shop', new Date(0))}`);
  } finally {
    shop.destroy();
  }
  (await connect(apps.envs[long]!['DATABASE_URL']!)).destroy();
  const again = await syncDatabases(admin, apps);
  expect(again.map((one) => [one.outcome, one.message])).toEqual([1, 2, 3].map(() => ['there', null]));
});

test('an app with a DATABASE_URL of its own is left alone, and so is one that has unset it', async () => {
  const apps = appsOf(app('blog'), app('wiki'));
  apps.envs['blog'] = { DATABASE_URL: 'mysql://me:pw@db.example/blog' };
  const outcomes = async () => (await syncDatabases(admin, apps)).slice(0, 2).map(({ outcome }) => outcome);
  expect(await outcomes()).toEqual(['own', 'given']);
  expect(await db.sql("SHOW DATABASES LIKE 'fnrun\\_blog'")).toEqual([]);
  delete apps.envs['wiki']!['DATABASE_URL'];
  expect(await outcomes()).toEqual(['own', 'unset']);
  expect(apps.envs['wiki']).toEqual({});
  const context = { admin, records: await openRecords(admin), apps };
  expect(await giveDatabase(context, app('wiki'), { attach: true })).toBe('given');
  (await connect(apps.envs['wiki']!['DATABASE_URL']!)).destroy();
});

test("a removed app's data are kept, and not given to another app of its name until somebody says so", async () => {
  const first = appsOf(app('desk'));
  await syncDatabases(admin, first);
  await db.sql('CREATE TABLE fnrun_desk.t (a INT)', 'INSERT INTO fnrun_desk.t VALUES (7)');
  const kept = await syncDatabases(admin, appsOf());
  expect(kept.find((one) => one.app === 'desk')).toMatchObject({
    outcome: 'kept',
    message: expect.stringContaining('fnrun databases drop desk') as string,
  });
  const second = appsOf(app('desk', '2027-02-02T00:00:00.000Z'));
  expect((await syncDatabases(admin, second))[0]).toMatchObject({ outcome: 'of-removed' });
  expect(second.envs).toEqual({});
  const context = { admin, records: await openRecords(admin), apps: second };
  expect(await giveDatabase(context, (await second.list())[0]!, { attach: true })).toBe('given');
  const connection = await connect(second.envs['desk']!['DATABASE_URL']!);
  expect((await connection.query('SELECT a FROM t'))[0]).toEqual([{ a: 7 }]);
  connection.destroy();
  // The old password is of no use any more.
  await expect(connect(first.envs['desk']!['DATABASE_URL']!)).rejects.toMatchObject({ code: 'ER_ACCESS_DENIED_ERROR' });
});

test('a run that was ended half-way is completed by the next, and a lost server is made again from the variables', async () => {
  const apps = appsOf(app('mill'));
  const broken = {
    ...apps,
    setEnv: async () => {
      throw new Error('the server was stopped');
    },
  };
  expect((await syncDatabases(admin, broken))[0]).toMatchObject({ outcome: 'failed' });
  expect((await syncDatabases(admin, apps))[0]).toMatchObject({ outcome: 'given' });
  await db.sql('DROP DATABASE fnrun_mill', 'DROP USER fnrun_mill@localhost', 'DROP DATABASE fnrun');
  expect((await syncDatabases(admin, apps))[0]).toMatchObject({ outcome: 'mended' });
  (await connect(apps.envs['mill']!['DATABASE_URL']!)).destroy();
});

test('max_connections is raised to what the apps may open, and never lowered', async () => {
  expect(await raiseConnections(admin, { sum: 95 })).toBe(160);
  expect(await db.sql('SELECT @@GLOBAL.max_connections AS n')).toEqual([{ n: 160 }]);
  expect(await raiseConnections(admin, { sum: 20 })).toBe(null);
});
