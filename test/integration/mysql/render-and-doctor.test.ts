import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { createConnection } from 'mysql2/promise';
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../deploy/mysql/doctor/finding.ts';
import { readServer } from '../../../deploy/mysql/doctor/read-server.ts';
import type { DatabaseFacts } from '../../../deploy/mysql/facts.ts';
import { detectServer } from '../../../deploy/mysql/machine/detect-server.ts';
import { validateConfig } from '../../../deploy/mysql/machine/validate-config.ts';
import { planConfig } from '../../../deploy/mysql/plan.ts';
import { renderConfig } from '../../../deploy/mysql/render-config.ts';
import type { Section, Setting } from '../../../deploy/mysql/setting.ts';
import { runCli } from '../../support/cli.ts';
import { startMariaDb, type MariaDb } from '../../support/mariadb.ts';
import { makeTempDir } from '../../support/temp-dir.ts';
import { anyFacts, factsOf } from '../../unit/deploy/mysql/facts.ts';

/** As a small machine, so that the server of the test stays small. */
const machine = ['--memory', '1024', '--max-connections', '30', '--iops', '2000'];
const folder = '/tmp';

interface Rendered {
  facts: DatabaseFacts;
  sections: Section[];
  text: string;
  validatedBy: string;
  verdict: { ok: boolean; complaints: string[] };
}

async function render(...args: string[]): Promise<Rendered> {
  const { code, stdout, stderr } = await runCli(['render', 'mysql', '--json', ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Rendered;
}

/** As root of the server, with this password. */
async function doctor(db: MariaDb, password = ''): Promise<{ code: number | null; findings: Finding[] }> {
  const url = `mysql://root:${password}@localhost/?socketPath=${encodeURIComponent(db.socketPath)}`;
  const { code, stdout, stderr } = await runCli(['doctor', 'mysql', '--json', ...machine], {
    env: { DATABASE_URL: url },
  });
  expect(stderr).toBe('');
  return { code, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings };
}

/** As Debian's package makes it: its computed columns have another collation than a connection of the doctor. */
async function remakeUserView(db: MariaDb): Promise<void> {
  const [view] = await db.sql('SHOW CREATE VIEW mysql.user');
  const made = String(view!['Create View']).replace(/^CREATE /, 'CREATE OR REPLACE ');
  await db.sql('SET NAMES utf8mb4 COLLATE utf8mb4_general_ci', made);
}

async function variablesOf(db: MariaDb): Promise<Record<string, string>> {
  const rows = await db.sql('SHOW GLOBAL VARIABLES');
  return Object.fromEntries(rows.map((row) => [String(row['Variable_name']), String(row['Value'])]));
}

/** What SHOW VARIABLES must have; null where the server adjusts the value to what it may. */
function shownAs({ name, value, shows }: Setting): { variable: string; value: string | number } | null {
  if (shows !== undefined) return shows;
  return { variable: name, value: typeof value === 'boolean' ? (value ? 'ON' : 'OFF') : value };
}

describe('fnrun render mysql', () => {
  test.each([
    ['alone on its socket', []],
    ['with a binary log and TCP', ['--binlog', '--tcp', '--relaxed-commits', '--disk', 'hdd', '--data-size', '90M']],
  ])('writes a file that Debian’s MariaDB takes without a word and has in force: %s', async (_what, more) => {
    const { sections, text, verdict, validatedBy, facts } = await render(...machine, ...more);
    expect(validatedBy).toBe('mariadbd');
    expect(verdict).toEqual({ ok: true, complaints: [] });
    await using db = await startMariaDb({ config: text });
    const variables = await variablesOf(db);
    expect(variables['version']).toContain(facts.version);
    const settings = sections.flatMap((section) => section.settings);
    expect(settings.length).toBeGreaterThan(18);
    for (const setting of settings) {
      const shown = shownAs(setting);
      if (shown === null) continue;
      const actual = variables[shown.variable] ?? '';
      const value = typeof shown.value === 'number' ? Number(actual) : actual;
      expect([shown.variable, value]).toEqual([shown.variable, shown.value]);
    }
  });

  test('measures the disk of the folder it is given, and prints the figure', async () => {
    await using dir = await makeTempDir();
    const { code, stdout } = await runCli(['render', 'mysql', '--measure', dir.path]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/a quarter of \d+ synced writes of 16 KiB a second/);
    expect(stdout).toMatch(/^innodb_io_capacity = \d+$/m);
  });

  test('writes for a server that is not here when engine and version are named, and says that nobody checked', async () => {
    const args = ['render', 'mysql', '--engine', 'mysql', '--engine-version', '8.4.3', '--no-measure'];
    const { code, stdout, stderr } = await runCli(args);
    expect(code).toBe(0);
    expect(stderr).toBe('fnrun: not checked: MySQL 8.4.3 is not installed here\n');
    expect(stdout).toMatch(/^innodb_redo_log_capacity = \d+M$/m);
  });

  test.each([
    [['render'], 'An argument is missing'],
    [['render', 'apache'], 'There is no configuration "apache" to render'],
    [['render', 'mysql', '--memory', 'lots'], '--memory is a size such as 2048 (megabytes) or 3G'],
    [['render', 'mysql', '--iops', '0'], '--iops is a whole number from 1'],
    [['render', 'mysql', '--disk', 'tape'], '--disk is ssd, nvme, hdd or auto'],
    [['render', 'mysql', '--engine', 'oracle'], '--engine is mariadb or mysql'],
    [['render', 'mysql', '--engine', 'mysql', '--engine-version', '5.0'], 'MySQL 5.0 is not known here'],
    [['render', 'mysql', '--engine', 'mysql'], 'No MySQL is installed here'],
    [['render', 'mysql', '--measure', '/nowhere'], '--measure names a folder that can be written to'],
  ])('refuses %j', async (args, told) => {
    const { code, stdout, stderr } = await runCli(args);
    expect(stdout).toBe('');
    expect(stderr).toContain(told);
    expect(code).toBe(2);
  });
});

test('a server’s own check finds an unknown variable and a value that it would adjust', async () => {
  const server = (await detectServer())!;
  expect(await validateConfig('[mysqld]\ninnodb_buffer_pool_sise = 1G\n', server)).toMatchObject({
    ok: false,
    complaints: [expect.stringContaining('innodb_buffer_pool_sise')],
  });
  const adjusted = await validateConfig('[mysqld]\nmax_connections = 9999999\n', server);
  expect(adjusted).toMatchObject({ ok: true, complaints: [expect.stringContaining('max_connections')] });
});

test('a real server takes the file of any machine without a word', async () => {
  const server = (await detectServer())!;
  await fc.assert(
    fc.asyncProperty(anyFacts, async (any) => {
      const facts = { ...any, engine: server.engine, version: server.version };
      const verdict = await validateConfig(renderConfig(planConfig(facts), facts), server);
      expect(verdict).toEqual({ ok: true, complaints: [] });
    }),
    { numRuns: 25 },
  );
});

test('a path with quotes, blanks and signs is read back as it was by the programs of the server', async () => {
  await using dir = await makeTempDir();
  const file = join(dir.path, 'my.cnf');
  const path = `/var/log/a b#c"d'e\\f\tg = [x] ; 100%`;
  const setting: Setting = { name: 'slow_query_log_file', value: path, reason: 'a test', dynamic: true };
  await writeFile(file, renderConfig([{ title: 'Test', settings: [setting], leftOut: [] }], factsOf()));
  const output = execFileSync('my_print_defaults', [`--defaults-file=${file}`, 'mysqld'], { encoding: 'utf8' });
  expect(output).toBe(`--slow_query_log_file=${path}\n`);
});

describe('fnrun doctor mysql', () => {
  test('finds what is wrong with a running server, and nothing once its advice was followed', async () => {
    await using db = await startMariaDb();
    await remakeUserView(db);
    const before = await doctor(db);
    expect(before.code).toBe(1);
    expect(before.findings.map(({ id }) => id)).toEqual(
      expect.arrayContaining([
        'account-without-password',
        'setting-innodb-flush-log-at-trx-commit',
        'setting-innodb-buffer-pool-size',
        'setting-slow-query-log',
        'setting-character-set-server',
      ]),
    );
    const advice = before.findings.map(({ todo }) => todo);
    expect(advice).toContain("ALTER USER 'root'@'localhost' IDENTIFIED VIA unix_socket;");
    await db.sql(...advice.flatMap((todo) => todo.match(/(SET GLOBAL|DROP USER) [^;…]+;/g) ?? []));
    // Not by the socket as it says: the test may run as somebody else.
    await db.sql("ALTER USER root@localhost IDENTIFIED BY 'grows'");
    const after = await doctor(db, 'grows');
    expect(after).toEqual({ code: 0, findings: [] });
  });

  test('tells what a load does: refused connections, failed logins, scans', async () => {
    await using db = await startMariaDb({ args: ['--max-connections=10'] });
    const wrong = { socketPath: db.socketPath, user: 'app', password: 'no' };
    for (let i = 0; i < 12; i++) {
      await expect(createConnection(wrong)).rejects.toMatchObject({ code: 'ER_ACCESS_DENIED_ERROR' });
    }
    const tries = await Promise.allSettled(Array.from({ length: 14 }, () => createConnection(db.url)));
    for (const result of tries) if (result.status === 'fulfilled') await result.value.end();
    await db.sql('CREATE TABLE app.t (n INT)', 'INSERT INTO app.t SELECT seq FROM app.seq_1_to_2000');
    const scan = Array.from({ length: 1100 }, () => 'SELECT COUNT(*) FROM app.t WHERE n = 1');
    await db.sql(...scan);
    const { findings } = await doctor(db);
    const byId = Object.fromEntries(findings.map((finding) => [finding.id, finding.measured]));
    expect(byId['connections-used-up']).toMatch(/of max_connections 10 at most, [1-9]\d* refused/);
    expect(byId['aborted-connects']).toMatch(/^Aborted_connects (12|13|14|15|16|17|18) of /);
    expect(byId['reads-without-index']).toMatch(/^Handler_read_rnd_next 22\d{5}, Com_select 11\d\d /);
  });

  test('asks as the app’s own user by DATABASE_URL, and never shows its password', async () => {
    await using db = await startMariaDb({ config: (await render(...machine, '--tcp')).text });
    const env = { DATABASE_URL: db.tcpUrl() };
    const well = await runCli(['doctor', 'mysql', ...machine], { env, cwd: folder });
    expect(well.stdout).toContain('note     accounts-not-seen');
    expect(well.stdout).toMatch(/^Well: 0 critical, 0 to do, 1 to note$/m);
    expect(well.code).toBe(0);
    const refused = await runCli(['doctor', 'mysql', '--url', db.url.replace('pa%20ss', 'secret-word')]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('it does not let app in');
    expect(refused.stderr).not.toContain('secret-word');
  });

  test('gives up on a server that stops talking in the middle of its greeting', async () => {
    await using folder = await makeTempDir();
    const socketPath = join(folder.path, 's.sock');
    const server = createServer((socket) => void socket.write(Buffer.from([0x4a, 0, 0, 0, 10])));
    await once(server.listen(socketPath), 'listening');
    try {
      const { signal } = new AbortController();
      await expect(readServer({ user: 'root', socketPath }, { connectMs: 200, signal })).rejects.toMatchObject({
        code: 'FN_DB_UNAVAILABLE',
        message: expect.stringContaining('it did not answer in time'),
      });
    } finally {
      server.close();
    }
  });

  test.each([
    [['doctor', 'mysql', '--socket', '/nowhere/s.sock'], 1, 'there is no such socket'],
    [['doctor', 'mysql', '--url', 'mysql://127.0.0.1:1/'], 1, 'nobody listens there'],
    [['doctor', 'mysql', '--url', 'postgres://localhost/'], 2, '--url begins with "postgres:", not "mysql:"'],
    [['doctor', 'cat', '--url', 'mysql://localhost/'], 2, '--url and --socket name a database server'],
  ])('%j fails with %i', async (args, code, told) => {
    const result = await runCli(args);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(told);
  });
});
