import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAdmin } from '../../../deploy/database/own/admin.ts';
import { askMaxConnections } from '../../../deploy/database/server.ts';
import { migrate } from '../../../deploy/migrations/migrate.ts';
import { resolveMigrations } from '../../../runtime/contract/database.ts';
import { parseDatabaseUrl } from '../../../runtime/contract/database-url.ts';
import { runCli } from '../../support/cli.ts';
import { eventually } from '../../support/deadline.ts';
import { fetchFrom } from '../../support/http.ts';
import { startHost } from '../../support/host.ts';
import { importMysql, startMariaDb } from '../../support/mariadb.ts';
import type { MariaDb } from '../../support/mariadb.ts';

// A server counts a connection that ends without a goodbye as aborted, and logs a line for each: who keeps it up would look
// for clients that have died.

let db: MariaDb;
beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db[Symbol.asyncDispose]());

async function aborted(): Promise<Record<string, number>> {
  const rows = await db.sql("SHOW GLOBAL STATUS WHERE Variable_name IN ('Aborted_clients', 'Aborted_connects')");
  return Object.fromEntries(rows.map((row) => [String(row['Variable_name']), Number(row['Value'])]));
}

const none = { Aborted_clients: 0, Aborted_connects: 0 };

test('connections of functions end with a goodbye: when idle, when their worker ends, when their process does', async () => {
  const { host, target, deploy } = await startHost();
  const source = (version: number): string => `${importMysql}
    export default async () => Response.json((await pool.query('SELECT ${version} AS version'))[0][0].version);`;
  const database = { idleTimeoutMs: 300 };
  const ask = async (): Promise<string> => (await fetchFrom(target, { path: '/f' })).text;
  await deploy({ '/f': source(1) }, { env: { DATABASE_URL: db.url }, database });
  expect(await ask()).toBe('1');
  expect(await db.connections()).toBe(1);
  await eventually(async () => (await db.connections()) === 0);
  expect(await aborted()).toEqual(none);

  expect(await ask()).toBe('1');
  await deploy({ '/f': source(2) }, { env: { DATABASE_URL: db.url }, database: { idleTimeoutMs: 60_000 } });
  expect(await ask()).toBe('2');
  await eventually(async () => (await db.connections()) === 1);
  expect(await aborted()).toEqual(none);
  await host.stop();
  await eventually(async () => (await db.connections()) === 0);
  expect(await aborted()).toEqual(none);
});

test('what the server and its tools ask ends with a goodbye', async () => {
  const address = parseDatabaseUrl(db.url, { name: 'DATABASE_URL' });
  expect(await askMaxConnections(address)).toBeGreaterThan(0);
  const admin = await openAdmin({ socketPath: db.socketPath });
  await admin.run('SELECT 1');
  admin.close();
  await migrate({
    files: [{ name: '1_one.sql', text: 'CREATE TABLE one (id INT);', checksum: 'c' }],
    address,
    settings: resolveMigrations()!,
    app: 'app',
    commit: '',
    signal: new AbortController().signal,
    tell: () => undefined,
  });
  const url = `mysql://root@localhost/?socketPath=${encodeURIComponent(db.socketPath)}`;
  const { stdout } = await runCli(['doctor', 'mysql', '--no-measure'], { env: { DATABASE_URL: url } });
  expect(stdout).toMatch(/an answer takes [\d.]+ ms/);
  await eventually(async () => (await db.connections()) === 0);
  expect(await aborted()).toEqual(none);
});
