import { chown, readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startCli } from '../support/cli.ts';
import type { CliOptions, RunningCli } from '../support/cli.ts';
import { eventually } from '../support/deadline.ts';
import { fetchFrom, targetOf } from '../support/http.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';

vi.setConfig({ testTimeout: 90_000 });

const handler = `
import { pool } from 'fnrun/mysql';
export default async (): Promise<Response> => {
  const [rows] = await pool.query('SELECT text FROM notes');
  return Response.json(rows);
};
`;
const notes = "CREATE TABLE notes (text VARCHAR(20));\nINSERT INTO notes VALUES ('first');\n";

async function makeApp(files: Record<string, string>): Promise<string> {
  const folder = await makeTempDir();
  await writeTree(folder.path, files);
  onTestFinished(() => folder.remove());
  return folder.path;
}

async function startDev(dir: string, options: CliOptions = {}): Promise<RunningCli> {
  const dev = await startCli(['dev', dir, '--port', '0'], {
    ready: /ready \d+ function/,
    deadlineMs: 60_000,
    ...options,
  });
  onTestFinished(async () => void (await dev.stop()));
  return dev;
}

async function get(dev: RunningCli): Promise<string> {
  const [url] = await dev.waitFor(/http:\/\/[\d.]+:\d+/);
  return (await fetchFrom(targetOf(url), { path: '/' })).text;
}

/** Processes of a server that has this folder. */
async function serversOf(dir: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const lines = await Promise.all(
    pids.map(async (pid) => [pid, await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')] as const),
  );
  return lines
    .filter(([, line]) => line.includes(`--datadir=${dir}/`) && !line.startsWith('/bin/sh'))
    .map(([pid]) => pid);
}

test('dev gives an app a database of its own, migrates it on each save, keeps its content and ends it', async () => {
  const dir = await makeApp({ 'functions/index.ts': handler, 'migrations/1_notes.sql': notes });
  const dev = await startDev(dir);
  expect(dev.output()).toMatch(/^database MariaDB [\d.]+ of this app's own, kept in \.fnrun\/database \(.*\)$/m);
  expect(dev.output()).toMatch(/^migrate 1_notes\.sql, 2 statements \(.*\)$/m);
  expect(await get(dev)).toBe('[{"text":"first"}]');
  expect(await serversOf(dir)).toHaveLength(1);

  await writeTree(dir, {
    'migrations/2_more.sql': "INSERT INTO notes VALUES ('second');\nINSERT INTO nowhere VALUES (1);\n",
  });
  await dev.waitFor(/migrations\/2_more\.sql:2:1[^]*migration failed, still serving the last good build/);
  expect(await get(dev)).toContain('second');
  await writeTree(dir, {
    'migrations/2_more.sql': "INSERT INTO notes VALUES ('second');\nINSERT INTO notes VALUES ('third');\n",
  });
  await dev.waitFor(/migrate 2_more\.sql, 1 statement, behind the 1 that had run[^]*mended/);
  expect(await get(dev)).toBe('[{"text":"first"},{"text":"second"},{"text":"third"}]');

  const from = dev.output().length;
  await writeTree(dir, { 'migrations/1_notes.sql': `${notes}-- changed\n` });
  await dev.waitFor(/has changed since it was applied[^]*put it back as it was[^]*remove \.fnrun\/database/, { from });
  await writeTree(dir, { 'migrations/1_notes.sql': notes });

  const { code } = await dev.stop('SIGINT');
  expect(code).toBe(0);
  expect(await serversOf(dir)).toEqual([]);

  const again = await startDev(dir);
  expect(again.output()).not.toMatch(/^migrate /m);
  expect(await get(again)).toContain('third');
  // Whatever ends dev, the server ends too, and the next one finds all it had.
  again.child.kill('SIGKILL');
  const last = await startDev(dir);
  expect(await get(last)).toContain('third');
  await last.stop();
  expect(await serversOf(dir)).toEqual([]);
});

test('two devs of one app share its database, and the one that stays goes on with it', async () => {
  const dir = await makeApp({ 'functions/index.ts': handler, 'migrations/1_notes.sql': notes });
  const first = await startDev(dir);
  const second = await startDev(dir);
  expect(await get(second)).toContain('first');
  expect(await serversOf(dir)).toHaveLength(1);
  const from = second.output().length;
  await first.stop();
  await second.waitFor(/database MariaDB/, { from });
  await eventually(async () => (await get(second)) === '[{"text":"first"}]');
});

test.skipIf(process.getuid?.() !== 0)('dev starts a database as a user who is not root', async () => {
  const dir = await makeApp({ 'functions/index.ts': handler, 'migrations/1_notes.sql': notes });
  const nobody = 65_534;
  for (const path of ['', ...(await readdir(dir, { recursive: true }))]) await chown(join(dir, path), nobody, nobody);
  const wrap = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
  const dev = await startDev(dir, { wrap, env: { HOME: dir } });
  expect(await get(dev)).toBe('[{"text":"first"}]');
  const [pid] = await serversOf(dir);
  expect((await stat(`/proc/${pid}`)).uid).toBe(nobody);
  await dev.stop();
  expect(await serversOf(dir)).toEqual([]);
});

test('dev leaves a database alone that is on another machine, and one that no function uses', async () => {
  const dir = await makeApp({
    'functions/index.ts': "export default () => new Response('up');\n",
    'migrations/1_notes.sql': notes,
    '.env': 'DATABASE_URL=mysql://app:secret@db.example.org/app\n',
  });
  const dev = await startDev(dir);
  expect(dev.output()).toMatch(/migrations are not applied: the server of DATABASE_URL is not on this machine/);
  const plain = await makeApp({ 'functions/index.ts': "export default () => new Response('up');\n" });
  await startDev(plain);
  expect(await readdir(join(plain, '.fnrun'))).not.toContain('database');
});
