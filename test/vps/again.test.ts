import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, push } from './support/app.ts';
import { fnrun, provisioned, setUp } from './support/provision.ts';
import type { Vm } from './support/vm.ts';

// What is done to a server when it has run for a while: other options, a look at what is wrong with it, a restored backup.

/** What is so of this machine whatever setup does: it has no clock, no DNS and no security updates to reach. */
const ofTheMachine =
  /^(?:clock-not-synchronized|sync-certificates|nginx-version|openssl-version|mariadb-server-version)$/;

interface Diagnosis {
  findings: { id: string; severity: string; what: string }[];
}

let vm: Vm;
beforeAll(async () => {
  vm = await provisioned();
  const { code, stderr } = await push(vm, 'notes', {
    // An emulated machine may take long to log in.
    'fnrun.json': JSON.stringify({ database: { acquireTimeoutMs: 30_000 } }),
    'migrations/1_notes.sql': 'CREATE TABLE notes (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(40));',
    'functions/index.ts': `import { pool } from 'fnrun/mysql';
      export const POST = async (request) => {
        await pool.query('INSERT INTO notes (text) VALUES (?)', [await request.text()]);
        return new Response('noted');
      };
      export const GET = async () =>
        Response.json((await pool.query('SELECT text FROM notes ORDER BY id'))[0].map(({ text }) => text));
      export const DELETE = async () => Response.json((await pool.query('DELETE FROM notes'))[0].affectedRows);`,
  });
  if (code !== 0) throw new Error(`the push ended with ${code}:\n${stderr}`);
});
afterAll(() => vm?.remove());

const notes = async (): Promise<unknown> => JSON.parse((await ask(vm, 'notes', '/')).body);

/** What doctor finds that setup could mend. */
async function doctor(): Promise<string[]> {
  const { code, stdout, stderr } = await fnrun(vm, ['doctor', 'root@vm', '--json']);
  if (code > 1) throw new Error(`doctor ended with ${code}: ${stdout}${stderr}`);
  const { findings } = JSON.parse(stdout) as Diagnosis;
  const told = findings.filter(({ severity }) => severity !== 'note');
  expect(code).toBe(told.length === 0 ? 0 : 1);
  return told.filter(({ id }) => !ofTheMachine.test(id)).map(({ id, what }) => `${id}: ${what}`);
}

test('a push that needs a database has one, of its own', async () => {
  expect((await ask(vm, 'notes', '/', { body: 'first' })).body).toBe('noted');
  expect(await notes()).toEqual(['first']);
});

test('what a nightly backup keeps comes back', async () => {
  await vm.sh('systemctl start fnrun-backup.service', { timeoutMs: 300_000 });
  await ask(vm, 'notes', '/', { body: 'second' });
  await vm.sh("mariadb -NB -e 'DELETE FROM fnrun_notes.notes'");
  expect(await notes()).toEqual([]);
  const listed = await vm.sh('fnrun backup notes --list');
  expect(listed).toMatch(/\.sql\.gz/);
  await vm.sh('fnrun restore notes latest --yes', { timeoutMs: 300_000 });
  expect(await notes()).toEqual(['first']);
});

test('doctor finds nothing on a server as it was set up, and what was changed since', async () => {
  expect(await doctor()).toEqual([]);
  await vm.sh('ufw disable; systemctl stop fail2ban; echo "# mine" >> /etc/fail2ban/jail.d/fnrun.conf');
  expect((await doctor()).map((line) => line.split(':')[0]).toSorted()).toEqual([
    'firewall-off',
    'setup-fail2ban',
    'setup-ufw',
  ]);
  await setUp(vm);
  expect(await doctor()).toEqual([]);
});

test('another domain and other days of backups are taken up by a setup, and kept by the next', async () => {
  await setUp(vm, ['--domain', 'other.test', '--backup-days', '3']);
  expect(await ask(vm, 'notes', '/', { zone: 'other.test' })).toMatchObject({ status: 200, body: '["first"]' });
  expect(await vm.sh('systemctl cat fnrun-backup.service')).toMatch(/--keep-days 3\b/);
  const { steps } = await setUp(vm, ['--domain', 'other.test']);
  expect(steps.flatMap(({ changes }) => changes)).toEqual([]);
});
