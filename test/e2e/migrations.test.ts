import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { runCli } from '../support/cli.ts';
import { eventually } from '../support/deadline.ts';
import { commitAll, initRepository, tryGit } from '../support/git.ts';
import { fetchFrom } from '../support/http.ts';
import { startMariaDb } from '../support/mariadb.ts';
import type { MariaDb } from '../support/mariadb.ts';
import { startServe } from '../support/serve.ts';
import type { Serve } from '../support/serve.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';
import type { TempDir } from '../support/temp-dir.ts';

vi.setConfig({ testTimeout: 60_000 });

let db: MariaDb;
let serve: Serve;
let folder: TempDir;
let remote = '';
let dir = '';
beforeAll(async () => {
  [db, serve] = await Promise.all([startMariaDb(), startServe()]);
}, 60_000);
afterAll(async () => {
  await serve?.stop();
  await db?.[Symbol.asyncDispose]();
});

let count = 0;
let app = '';
beforeEach(async () => {
  app = `app${++count}`;
  folder = await makeTempDir('fdm-');
  dir = join(folder.path, app);
  remote = await serve.createApp(app);
  await db.sql('DROP DATABASE app', 'CREATE DATABASE app CHARACTER SET utf8mb4');
  await writeTree(dir, { 'functions/index.ts': answers('one') });
  await initRepository(dir);
  await fnrun(['env', app, 'set', `DATABASE_URL=${db.url}`]);
});
afterEach(async () => {
  await folder.remove();
});

const answers = (text: string): string => `export default () => new Response('${text}');\n`;

async function fnrun(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli([...args, '--home', serve.home]);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

/** Commits these files over what there is, and pushes. */
async function push(files: Record<string, string>, branch = 'main'): Promise<{ ok: boolean; output: string }> {
  await writeTree(dir, files);
  await commitAll(dir, 'A change');
  const { code, output } = await tryGit(dir, ['push', remote, `HEAD:${branch}`]);
  return { ok: code === 0, output: output.replaceAll('remote: ', '') };
}

const get = async (host = app): Promise<string> =>
  (await fetchFrom(serve.gateway, { path: '/', headers: [['Host', `${host}.localhost`]] })).text;

const recorded = (): Promise<Record<string, unknown>[]> =>
  db.sql('SELECT name, state, statements FROM app.fnrun_migrations ORDER BY name');

test('a push applies what the database has not had, in the order of numbers, once, and the command lists it', async () => {
  const first = await push({
    'migrations/2_names.sql': "INSERT INTO log VALUES ('2');\n",
    'migrations/1_log.sql':
      "-- A log; of sorts.\nCREATE TABLE log (what VARCHAR(20));\nINSERT INTO log VALUES ('1;');\n",
    'migrations/10_trigger.sql':
      'DELIMITER //\nCREATE TRIGGER twice BEFORE INSERT ON log FOR EACH ROW\nBEGIN\n  SET NEW.what = CONCAT(NEW.what, NEW.what);\nEND//\nDELIMITER ;\nINSERT INTO log VALUES (10);\n',
    'migrations/README.md': 'No SQL.',
  });
  expect(first).toMatchObject({ ok: true });
  const lines = first.output.match(/^migrate +.*$/gm)?.map((line) => line.replace(/\(.*\)/, '(time)').trim());
  expect(lines).toEqual([
    'migrate     1_log.sql, 2 statements (time)',
    'migrate     2_names.sql, 1 statement (time)',
    'migrate     10_trigger.sql, 2 statements (time)',
  ]);
  expect(first.output).toMatch(/boot check[^]*1_log\.sql[^]*live /);
  expect(await db.sql('SELECT what FROM app.log')).toEqual([{ what: '1;' }, { what: '2' }, { what: '1010' }]);

  const second = await push({ 'functions/index.ts': answers('two') });
  expect(second.output).toMatch(/migrate +nothing to do, 3 applied before \(\d+ ms\)/);
  expect(await get()).toBe('two');

  const text = await fnrun(['migrations', app]);
  expect(text).toMatch(/NAME +STATE[^]*1_log\.sql +applied[^]*2_names\.sql +applied[^]*10_trigger\.sql +applied/);
  const list = JSON.parse(await fnrun(['migrations', app, '--json'])) as object[];
  expect(list[0]).toMatchObject({ name: '1_log.sql', state: 'applied', statements: 2, by: app, error: null });
});

test('a failing statement rejects the push with file and line; what ran stays, and the next push goes on behind it', async () => {
  await push({ 'migrations/1.sql': 'CREATE TABLE a (n INT);\n' });
  const broken = await push({
    'functions/index.ts': answers('two'),
    'migrations/2.sql': 'CREATE TABLE b (n INT);\n\nALTER TABLE a\n  ADD COLUMN n INT;\nCREATE TABLE c (n INT);\n',
    'migrations/3.sql': 'CREATE TABLE d (n INT);\n',
  });
  expect(broken.ok).toBe(false);
  expect(broken.output).toMatch(
    /rejected +migrations\/2\.sql:3: Duplicate column name 'n' \(1060\); 1 of its 3 statements ran and stays/,
  );
  expect(broken.output).toMatch(
    /what to do +mend it, and leave the first statement as it is: the next run goes on behind it/,
  );
  expect(await get()).toBe('one');
  expect(await recorded()).toEqual([
    { name: '1.sql', state: 'applied', statements: 1 },
    { name: '2.sql', state: 'failed', statements: 1 },
  ]);
  expect(await fnrun(['migrations', app])).toMatch(/2\.sql +failed.*Duplicate column name/);

  const others = await push({ 'migrations/2.sql': 'CREATE TABLE bb (n INT);\n' });
  expect(others.output).toMatch(/migrations\/2\.sql: its first statement has changed since an earlier attempt/);
  const mended = await push({
    'migrations/2.sql': 'CREATE TABLE b (n INT);\nALTER TABLE a ADD COLUMN m INT;\nCREATE TABLE c (n INT);\n',
  });
  expect(mended.output).toMatch(/migrate +2\.sql, 2 statements, behind the 1 that had run/);
  expect(mended.output).toMatch(/migrate +3\.sql, 1 statement/);
  expect(await get()).toBe('two');
});

test('a transaction that fails leaves nothing, and its file runs again whole', async () => {
  const sql = (value: string): string =>
    `START TRANSACTION;\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES (${value});\nCOMMIT;\n`;
  const broken = await push({
    'migrations/1.sql': 'CREATE TABLE a (n INT PRIMARY KEY);\n',
    'migrations/2.sql': sql('1'),
  });
  expect(broken.output).toMatch(/migrations\/2\.sql:3: Duplicate entry .*; none of its 4 statements is done/);
  expect(await db.sql('SELECT * FROM app.a')).toEqual([]);
  expect((await push({ 'migrations/2.sql': sql('2') })).ok).toBe(true);
  expect(await db.sql('SELECT * FROM app.a')).toHaveLength(2);
  const open = await push({ 'migrations/3.sql': 'START TRANSACTION;\nINSERT INTO a VALUES (3);\n' });
  expect(open.output).toMatch(/3\.sql:2: the file ends within a transaction, which is rolled back/);
  expect(await db.sql('SELECT * FROM app.a')).toHaveLength(2);
});

test('an applied file that has changed rejects the push; one that sorts before applied ones is applied with a warning', async () => {
  await push({ 'migrations/1.sql': 'CREATE TABLE a (n INT);\n', 'migrations/3.sql': 'CREATE TABLE c (n INT);\n' });
  const changed = await push({ 'migrations/1.sql': 'CREATE TABLE a (n BIGINT);\n' });
  expect(changed.output).toMatch(/rejected +migrations\/1\.sql: it has changed since it was applied \(20/);
  expect(changed.output).toMatch(/what to do +put it back as it was/);
  const late = await push({
    'migrations/1.sql': 'CREATE TABLE a (n INT);\r\n',
    'migrations/2.sql': 'CREATE TABLE b (n INT);\n',
  });
  expect(late).toMatchObject({ ok: true });
  expect(late.output).toMatch(/warning +2\.sql sorts before 3\.sql, which was applied already/);
  await rm(join(dir, 'migrations/2.sql'));
  const gone = await push({});
  expect(gone.output).toMatch(/warning +2\.sql was applied to this database, and not in this tree/);
});

test('a statement that runs too long is killed on the server, and the push is rejected', async () => {
  const settings = (migrations: object | false): string => JSON.stringify({ database: { migrations } });
  const slow = await push({
    'fnrun.json': settings({ statementTimeoutMs: 300 }),
    'migrations/1.sql': 'CREATE TABLE a (n INT);\nINSERT INTO a SELECT SLEEP(60);\n',
  });
  expect(slow.output).toMatch(/migrations\/1\.sql:2: it ran longer than 0\.3 s; 1 of its 2 statements ran and stays/);
  expect(await db.sql("SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE 'INSERT INTO a%'")).toEqual([]);
  expect((await recorded())[0]).toEqual({ name: '1.sql', state: 'failed', statements: 1 });
  const total = await push({ 'fnrun.json': settings({ timeoutMs: 300 }) });
  expect(total.output).toMatch(/1\.sql:2: all migrations together took longer than 0\.3 s/);
  expect((await push({ 'fnrun.json': settings(false) })).output).not.toMatch(/migrate /);
});

test('two apps that migrate one database wait for each other, and the wait has an end', async () => {
  await push({});
  const key = (await import('node:crypto')).createHash('sha256').update('app').digest('hex').slice(0, 32);
  await db.sql(`DO GET_LOCK('fnrun migrations ${key}', 0)`);
  const files = (ms: number): Record<string, string> => ({
    'fnrun.json': JSON.stringify({ database: { migrations: { lockTimeoutMs: ms } } }),
    'migrations/1.sql': 'CREATE TABLE a (n INT);\n',
  });
  const late = await push(files(1_000));
  expect(late.output).toMatch(/migrate +waiting for others that migrate this database/);
  expect(late.output).toMatch(/rejected +others have been migrating this database for 1 s/);
  const pushing = push(files(30_000));
  await eventually(async () => {
    const sql = "SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE = 'User lock'";
    return (await db.sql(sql)).length === 1;
  });
  await db.sql('DO RELEASE_ALL_LOCKS()');
  expect((await pushing).output).toMatch(/migrate +1\.sql, 1 statement/);
});

test('a preview with the database of its app migrates nothing, and one with its own does', async () => {
  await push({ 'migrations/1.sql': 'CREATE TABLE a (n INT);\n' });
  const next = { 'migrations/2.sql': 'CREATE TABLE b (n INT);\n' };
  // By another way to the same database.
  await fnrun(['env', app, 'set', '--previews', `DATABASE_URL=${db.tcpUrl()}`]);
  const shared = await push(next, 'topic');
  expect(shared).toMatchObject({ ok: true });
  expect(shared.output).toMatch(new RegExp(`migrate +not done: this preview has the database of ${app}`));
  expect(await recorded()).toHaveLength(1);
  expect(await fnrun(['migrations', `topic--${app}`])).toMatch(/1\.sql +applied[^]*2\.sql +pending/);
  await db.sql('DROP DATABASE other', 'CREATE DATABASE other');
  await fnrun(['env', app, 'set', '--previews', `DATABASE_URL=${db.url.replace('/app?', '/other?')}`]);
  const own = await push({ 'functions/index.ts': answers('two') }, 'topic');
  expect(own.output).toMatch(/migrate +1\.sql[^]*migrate +2\.sql/);
  expect(await db.sql('SHOW TABLES FROM other')).toHaveLength(3);
  expect(await recorded()).toHaveLength(1);
});

test('migrations without a database, or with one that does not answer, reject the push and tell no password', async () => {
  await fnrun(['env', app, 'unset', 'DATABASE_URL']);
  const files = { 'migrations/1.sql': 'CREATE TABLE a (n INT);\n' };
  expect((await push(files)).output).toMatch(/rejected +there are files in migrations\/, and no DATABASE_URL/);
  const { code, stderr } = await runCli(['migrations', app, '--home', serve.home]);
  expect([code, stderr]).toEqual([1, expect.stringContaining(`${app} has no DATABASE_URL`)]);
  await fnrun(['env', app, 'set', 'DATABASE_URL=mysql://app:pa%20ss@127.0.0.1:1/app']);
  const { output } = await push({ 'functions/index.ts': answers('two') });
  expect(output).toMatch(/rejected +the database does not answer: connect ECONNREFUSED/);
  expect(output).not.toContain('pa%20ss');
});

test('a migration that a killed server left half-way is in doubt: the next push says what to look at, and goes on when told', async () => {
  await using other = await startServe();
  const elsewhere = await other.createApp(app);
  const { code } = await runCli(['env', app, 'set', `DATABASE_URL=${db.url}`, '--home', other.home]);
  expect(code).toBe(0);
  await writeTree(dir, { 'migrations/1.sql': 'CREATE TABLE a (n INT);\nDO SLEEP(60);\nCREATE TABLE b (n INT);\n' });
  await commitAll(dir, 'Slow');
  const pushing = tryGit(dir, ['push', elsewhere, 'HEAD:main']);
  const sleeping = "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'DO SLEEP%'";
  await eventually(async () => (await db.sql(sleeping)).length === 1);
  other.cli.child.kill('SIGKILL');
  await pushing;
  await db.sql(`KILL ${String((await db.sql(sleeping))[0]!['ID'])}`);
  const doubtful = await push({ 'migrations/1.sql': 'CREATE TABLE a (n INT);\nDO 1;\nCREATE TABLE b (n INT);\n' });
  expect(doubtful.output).toMatch(
    /rejected +migrations\/1\.sql:2: an earlier run of it broke off: 1 of its statements ran, and whether number 2 did is not known/,
  );
  const [, told] = /then: (UPDATE .*?); the next run/.exec(doubtful.output.replaceAll(/\s*\n\s*/g, ' ')) ?? [];
  await db.sql('USE app', told ?? 'nothing was told');
  expect((await push({ 'functions/index.ts': answers('two') })).output).toMatch(
    /migrate +1\.sql, 2 statements, behind the 1/,
  );
  expect(await recorded()).toEqual([{ name: '1.sql', state: 'applied', statements: 3 }]);
});

test('a migration reads no file of the server, and what it selects is not kept', async () => {
  const sql = (file: string): string => `LOAD DATA LOCAL INFILE '${file}' INTO TABLE a;\n`;
  await push({ 'migrations/1.sql': 'CREATE TABLE a (n VARCHAR(200));\n' });
  const { ok, output } = await push({ 'migrations/2.sql': sql('/etc/passwd') });
  expect(ok).toBe(false);
  expect(output).toMatch(/rejected +migrations\/2\.sql:1: /);
  expect(await db.sql('SELECT COUNT(*) AS n FROM app.a')).toEqual([{ n: 0 }]);
  // 400 MB, if anybody kept them.
  const rows = "SELECT REPEAT('x', 100000) FROM seq_1_to_4000;\nSELECT 1;\n";
  const big = await push({ 'migrations/2.sql': rows });
  expect(big.output).toMatch(/migrate +2\.sql, 2 statements/);
  const { daemon } = JSON.parse(await fnrun(['ps', '--json'])) as { daemon: { rssBytes: number } };
  expect(daemon.rssBytes).toBeLessThan(400 * 2 ** 20);
});
