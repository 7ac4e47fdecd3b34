import { expect, test } from 'vitest';
import type { BuildSuccess } from '../../../../builder/build.ts';
import { createDevDatabase } from '../../../../cli/dev/database/dev-database.ts';
import { findPrograms } from '../../../../cli/dev/database/programs.ts';
import { makeTempDir, writeTree } from '../../../support/temp-dir.ts';

test('dev says in one line how to get a database when none is installed, and goes on without', async () => {
  await using folder = await makeTempDir();
  await writeTree(folder.path, { 'migrations/1.sql': 'SELECT 1;\n' });
  const told: string[] = [];
  const database = createDevDatabase({
    dir: folder.path,
    app: 'shop',
    folders: [folder.path],
    signal: new AbortController().signal,
    out: (line) => told.push(line),
    err: (line) => told.push(line),
  });
  const built = { manifest: {}, provided: ['fnrun/mysql'] } as unknown as BuildSuccess;
  for (let save = 0; save < 2; save++) {
    expect(await database.envFor({ A: 'b' }, built)).toEqual({ A: 'b' });
    expect(await database.migrate({ A: 'b' }, built)).toEqual([]);
  }
  await database.close();
  expect(told).toEqual([
    'database: no DATABASE_URL in .env, and no MariaDB or MySQL installed to start one: apt-get install mariadb-server, or brew install mariadb',
  ]);
});

test('programs are found where the folders say, and nowhere else', async () => {
  await using folder = await makeTempDir();
  expect(await findPrograms([folder.path, '/nowhere'])).toBeNull();
  expect(await findPrograms([folder.path, '/usr/sbin', '/usr/bin'])).toMatchObject({ engine: 'MariaDB' });
});
