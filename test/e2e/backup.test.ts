import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { restoredSchema } from '../../deploy/database/own/names.ts';
import { runCli, startCli, type CliResult } from '../support/cli.ts';
import { fetchFrom, targetOf, type HttpTarget } from '../support/http.ts';
import { startMariaDb } from '../support/mariadb.ts';
import type { MariaDb } from '../support/mariadb.ts';
import { makeTempDir, writeTree, type TempDir } from '../support/temp-dir.ts';
import { runProgram, startSshFixture, type Laptop, type SshFixture } from './ssh-fixture.ts';

let db: MariaDb;
let fixture: SshFixture;
let laptop: Laptop;
let folder: TempDir;
let said = '';
beforeAll(async () => {
  [db, fixture, folder] = await Promise.all([startMariaDb(), startSshFixture(), makeTempDir('fbk-')]);
  laptop = await fixture.makeLaptop('anna', 'shop', '--app', 'shop', '--app', 'blog', '--create');
});
afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
  await folder.remove();
});

/** Runs a command on the server; it has to succeed. */
async function here(...args: string[]): Promise<string> {
  return succeed(await fixture.here(...args), args);
}

function succeed({ code, stdout, stderr }: CliResult, args: readonly string[]): string {
  said += stdout + stderr;
  expect([args, code, stderr.replaceAll(/^.*MB of SQL.*\n|^the former data.*\n/gm, '')]).toEqual([args, 0, '']);
  return stdout;
}

async function orders(target: HttpTarget = fixture.server.gateway): Promise<string> {
  return (await fetchFrom(target, { path: '/', headers: [['Host', 'shop.localhost']] })).text;
}

const backups = () => ['--dir', join(folder.path, 'backups')];
const socket = () => ['--socket', db.socketPath];

test(
  'an app gets a database, is backed up to a laptop and by the timer, and goes back to what it was, over ssh as on the server',
  { timeout: 120_000 },
  async () => {
    await here('apps', 'create', 'shop');
    expect(await here('databases', 'sync', ...socket())).toContain('shop has a database of its own now');
    await writeTree(laptop.dir, {
      'functions/index.ts': `import { pool } from 'fnrun/mysql';
        export default async () => Response.json((await pool.query('SELECT name FROM orders ORDER BY id'))[0]);`,
      'migrations/1_orders.sql': 'CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40));',
    });
    await laptop.git('add', '.');
    await laptop.git('commit', '-qm', 'Orders');
    const pushed = await laptop.git('push', 'fnrun', 'HEAD:main');
    expect([pushed.code, pushed.output]).toEqual([0, expect.stringContaining('live')]);
    await db.sql("INSERT INTO fnrun_shop.orders (name) VALUES ('🦊')");
    expect(await orders()).toBe('[{"name":"🦊"}]');

    // To a file of the laptop's, and to its standard output.
    succeed(await laptop.fnrun(['backup', '--to', 'shop.sql.gz']), ['backup']);
    expect((await stat(join(laptop.dir, 'shop.sql.gz'))).mode & 0o777).toBe(0o600);
    await here('backup', '--all', ...backups(), ...socket());
    await db.sql("INSERT INTO fnrun_shop.orders (name) VALUES ('later')");
    const back = ['restore', 'shop.sql.gz', '--yes'];
    expect(succeed(await laptop.fnrun(back), back)).toMatch(/^shop has the data of standard input: 2 tables/);
    expect(await orders()).toBe('[{"name":"🦊"}]');
    succeed(await laptop.fnrun(['rollback']), ['rollback']);
    const account = await here('deploys', 'shop', '--log');
    expect(account).toMatch(/database +another than that of what was live: .*\/fnrun_shop$/m);
    expect(await orders()).toBe('[{"name":"🦊"},{"name":"later"}]');

    expect(await here('backup', 'shop', '--list', ...backups())).toMatch(/\n\d{8}T\d{6}Z-fnrun_shop\.sql\.gz +0\.0 MB/);
    const asked = await fixture.here('restore', 'shop', 'latest', ...backups());
    expect([asked.code, asked.stderr]).toEqual([2, expect.stringMatching(/in place of fnrun_shop; .*--yes/)]);
    await here('restore', 'shop', 'latest', '--yes', ...backups());
    expect(await orders()).toBe('[{"name":"🦊"}]');

    await here('databases', 'drop', 'shop', '--former', '--yes', ...socket());
    expect(await here('databases', ...socket())).toMatch(/^APP.*\nshop +fnrun_shop_r\d{14} +live +2 .*\n$/);
    expect(await orders()).toBe('[{"name":"🦊"}]');
    const env = await fixture.here('env', 'shop', 'list', '--values');
    const password = /fnrun_shop:([^@]+)@/.exec(env.stdout)![1]!;
    expect(password).toMatch(/^[\w-]{32}$/);
    expect(said + pushed.output).not.toContain(password);
  },
);

test('a restore that fails leaves the app with what it has, and nothing behind', { timeout: 60_000 }, async () => {
  // Other restores have the names of these seconds.
  const seconds = Array.from({ length: 6 }, (_, i) => new Date(Date.now() + i * 1_000));
  const there = JSON.stringify(await db.sql("SHOW DATABASES LIKE 'fnrun%'"));
  const taken = seconds.map((at) => restoredSchema('shop', at)).filter((name) => !there.includes(name));
  await db.sql(...taken.map((name) => `CREATE DATABASE ${name}`));
  const before = await db.sql("SHOW DATABASES LIKE 'fnrun%'");
  const file = join(laptop.dir, 'bad.sql');
  await writeTree(laptop.dir, { 'bad.sql': 'CREATE TABLE a (b INT);\nOops;\n-- Dump completed\n' });
  for (const { code, stderr } of [
    await laptop.fnrun(['restore', 'bad.sql', '--yes']),
    await fixture.here('restore', 'shop', file, '--yes'),
  ]) {
    expect([code, stderr]).toEqual([1, expect.stringMatching(/The backup is not restored: ERROR 1064 .*Oops/)]);
  }
  // One that the live code does not load with would be such, too; this one is not there.
  const none = await laptop.fnrun(['restore', '20270101T000000Z-fnrun_shop.sql.gz', '--yes']);
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('has no backup 20270101T000000Z')]);
  expect(await db.sql("SHOW DATABASES LIKE 'fnrun%'")).toEqual(before);
  expect(await orders()).toBe('[{"name":"🦊"}]');
});

test('a key reads its own apps only, and names no folder of the server', { timeout: 60_000 }, async () => {
  await here('apps', 'create', 'bank');
  await here('databases', 'sync', ...socket());
  for (const [args, words] of [
    [['backup', 'bank', '--to', 'bank.gz'], /may push to blog and shop/],
    [['backup', 'shop', '--list', '--dir', '/'], /--dir is not for the other end of ssh/],
    [['backup', '--all'], /--all is not for the other end of ssh/],
  ] as const) {
    const { code, stderr } = await laptop.fnrun(args);
    expect([args, code, stderr]).toEqual([args, expect.not.toBeOneOf([0]), expect.stringMatching(words)]);
  }
  expect((await readdir(laptop.dir)).filter((name) => name.includes('bank'))).toEqual([]);
});

test(
  'a backup that fails is told, by exit code too, and those that can be made are made',
  { timeout: 60_000 },
  async () => {
    await db.sql(
      'CREATE TABLE fnrun_bank.t (a INT)',
      'CREATE VIEW fnrun_bank.v AS SELECT a FROM fnrun_bank.t',
      'DROP TABLE fnrun_bank.t',
    );
    const { code, stdout, stderr } = await fixture.here('backup', '--all', ...backups(), ...socket());
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^fnrun: fnrun_bank could not be dumped: .*v/)]);
    expect(stdout).toMatch(/-fnrun_shop_r\d+\.sql\.gz: .*\n.*-server\.tar\.gz: /);
    expect(await readdir(join(folder.path, 'backups/bank'))).toEqual([]);
    await db.sql('DROP VIEW fnrun_bank.v');
  },
);

test('a server is built anew from its backups', { timeout: 60_000 }, async () => {
  const dir = join(folder.path, 'backups/_server');
  const [tar] = (await readdir(dir))
    .filter((name) => name.endsWith('.tar.gz'))
    .toSorted()
    .toReversed();
  const home = join(folder.path, 'home');
  await writeTree(home, { 'apps/.keep': '' });
  await runProgram('tar', ['-xzf', join(dir, tar!), '-C', home]);
  expect((await readFile(join(home, 'secret.key'))).length).toBe(32);
  const users = (await db.sql("SELECT User FROM mysql.user WHERE User LIKE 'fnrun%'")).map((row) =>
    String(row['User']),
  );
  const schemas = (await db.sql("SHOW DATABASES LIKE 'fnrun%'")).map((row) => String(Object.values(row)[0]));
  await db.sql(
    ...users.map((user) => `DROP USER ${user}@localhost`),
    ...schemas.map((name) => `DROP DATABASE ${name}`),
  );
  await using server = await startCli(['serve', '--home', home, '--listen', '127.0.0.1:0']);
  const run = async (...args: string[]) => succeed(await runCli([...args, '--home', home]), args);
  expect(await run('databases', 'sync', ...socket())).toMatch(/user and schema of shop were made again/);
  await run('restore', 'shop', 'latest', '--yes', ...backups());
  expect(await orders(targetOf(server.ready))).toBe('[{"name":"🦊"}]');
});
