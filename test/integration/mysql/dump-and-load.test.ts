import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createConnection } from 'mysql2/promise';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addBackup, listBackups, verifyBackup } from '../../../deploy/backup/backup-folder.ts';
import { dumpSchema } from '../../../deploy/backup/dump.ts';
import { findClients } from '../../../deploy/backup/dump-source.ts';
import { loadDump } from '../../../deploy/backup/load.ts';
import { startMariaDb } from '../../support/mariadb.ts';
import type { MariaDb } from '../../support/mariadb.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

let db: MariaDb;
beforeAll(async () => {
  db = await startMariaDb();
  await db.sql(
    "CREATE USER u@localhost IDENTIFIED BY 'a \"b\\\\ #;'",
    'GRANT ALL ON app.* TO u@localhost',
    'GRANT ALL ON `new\\_%`.* TO u@localhost',
    'USE app',
    'CREATE TABLE people (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40), face MEDIUMBLOB, n BIGINT UNSIGNED, d DECIMAL(20,5))',
    'CREATE TABLE seen (id INT, FOREIGN KEY (id) REFERENCES people (id))',
    'CREATE TRIGGER look AFTER INSERT ON people FOR EACH ROW INSERT INTO seen VALUES (NEW.id)',
    'CREATE VIEW short AS SELECT id, LEFT(name, 3) AS name FROM people',
    'CREATE PROCEDURE count_people(OUT n INT)\nBEGIN\n  -- of all\n  SELECT COUNT(*) INTO n FROM people;\nEND',
    "CREATE FUNCTION hail(name VARCHAR(40)) RETURNS VARCHAR(80) DETERMINISTIC RETURN CONCAT('Hei, ', name, '; 你好')",
    'CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS "2035-01-01 00:00:00" DO DELETE FROM seen',
  );
  const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const insert = 'INSERT INTO people (name, face, n, d) VALUES (?, ?, ?, ?)';
  await db.root.query(insert, ['Zoë 🦊', all, '18446744073709551615', '123456789012345.12345']);
  await db.root.query(insert, ["line\nUSE `other`;\n'quoted\\'\0", Buffer.alloc(3_000_000, 7), 1, null]);
});
afterAll(() => db[Symbol.asyncDispose]());

const signal = AbortSignal.timeout(60_000);
const user = () => ({ socketPath: db.socketPath, user: 'u', password: 'a "b\\ #;' });

/** A dump of `app`, made by root. */
async function dumped(database = 'app'): Promise<Buffer> {
  await using folder = await makeTempDir('fdump-');
  const path = `${folder.path}/dump`;
  const address = { socketPath: db.socketPath, user: 'root', database };
  await dumpSchema({ address, programs: await findClients(), to: createWriteStream(path), signal });
  return await readFile(path);
}

async function load(dump: Buffer, database: string): Promise<number> {
  await db.sql(`CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
  const address = { ...user(), database };
  return await loadDump({ address, programs: await findClients(), from: Readable.from([dump]), signal });
}

test('a schema that root dumped is loaded by its user with all that is in it, and then belongs to him', async () => {
  const dump = await dumped();
  expect(gunzipSync(dump).toString('latin1')).toContain('DEFINER=`root`@`localhost`');
  await load(dump, 'new_a');
  const select = 'SELECT id, name, MD5(face) AS face, CAST(n AS CHAR) AS n, CAST(d AS CHAR) AS d FROM';
  expect(await db.sql(`${select} new_a.people`)).toEqual(await db.sql(`${select} app.people`));
  expect(await db.sql('SELECT name FROM new_a.short')).toEqual([{ name: 'Zoë' }, { name: 'lin' }]);
  const mine = await createConnection({ ...user(), database: 'new_a' });
  try {
    await mine.query("INSERT INTO people (name) VALUES ('new')");
    await mine.query('CALL count_people(@n)');
    const [rows] = await mine.query("SELECT @n AS n, hail('Åse') AS hail, (SELECT COUNT(*) FROM seen) AS seen");
    expect(rows).toEqual([{ n: 3, hail: 'Hei, Åse; 你好', seen: 3 }]);
  } finally {
    mine.destroy();
  }
  expect(await db.sql('SELECT definer FROM information_schema.events WHERE event_schema = "new_a"')).toEqual([
    { definer: 'u@localhost' },
  ]);
});

test(
  'a dump that is cut off, damaged, of several schemas, or not SQL is refused in plain words',
  { timeout: 60_000 },
  async () => {
    const sql = gunzipSync(await dumped());
    const cut = sql.subarray(0, sql.lastIndexOf('-- Dump completed'));
    await expect(load(cut, 'new_cut')).rejects.toThrow('it has no end');
    const gz = gzipSync(sql);
    await expect(load(gz.subarray(0, gz.length - 2000), 'new_half')).rejects.toThrow('it cannot be read');
    await expect(load(Buffer.from('CREATE DATABASE `other`;\n'), 'new_other')).rejects.toThrow(
      'a schema of its own choice',
    );
    await expect(load(Buffer.from('Dear sir,\n'), 'new_letter')).rejects.toThrow(/not restored: ERROR 1064 .*syntax/);
    await expect(load(Buffer.from('SELECT 1 FROM mysql.user;\n'), 'new_root')).rejects.toThrow('command denied');
    await expect(load(Buffer.from('\\! touch /tmp/x\n'), 'new_shell')).rejects.toThrow('Unknown command');
    await expect(load(Buffer.alloc(0), 'new_empty')).rejects.toThrow('it is empty');
  },
);

test('a backup that cannot be written or made leaves nothing behind, and what was there stays', async () => {
  await using folder = await makeTempDir('fbak-');
  const dir = folder.path;
  const programs = await findClients();
  const address = { socketPath: db.socketPath, user: 'root', database: 'app' };
  const full = dumpSchema({ address, programs, to: createWriteStream('/dev/full'), signal });
  await expect(full).rejects.toThrow('app could not be dumped: the disk is full');
  const add = (database: string, at: string) =>
    addBackup({
      dir,
      of: database,
      at: new Date(at),
      write: async (to) => await dumpSchema({ address: { ...address, database }, programs, to, signal }),
    });
  await expect(add('gone', '2027-01-01T00:00:00Z')).rejects.toThrow(/gone could not be dumped: .*Unknown database/);
  expect(await listBackups(dir)).toEqual([]);
  const { path } = await add('app', '2027-01-02T03:04:05Z');
  expect((await listBackups(dir)).map(({ file }) => file)).toEqual(['20270102T030405Z-app.sql.gz']);
  await verifyBackup(path);
  const [text, sum] = [await readFile(path), await readFile(`${path}.sha256`, 'utf8')];
  expect(sum).toMatch(/^[0-9a-f]{64} {2}20270102T030405Z-app\.sql\.gz\n$/);
  const flipped = Buffer.from(text);
  flipped[flipped.length - 5]! ^= 1;
  const { writeFile } = await import('node:fs/promises');
  await writeFile(path, flipped);
  await expect(verifyBackup(path)).rejects.toThrow('is damaged');
});
