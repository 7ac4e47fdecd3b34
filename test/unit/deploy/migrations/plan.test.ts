import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { planMigrations } from '../../../../deploy/migrations/plan.ts';
import { compareMigrations, readMigrations, StatementHash, statementsOf } from '../../../../deploy/migrations/read.ts';
import type { MigrationFile } from '../../../../deploy/migrations/read.ts';
import type { MigrationRow } from '../../../../deploy/migrations/table.ts';
import { makeTempDir, writeTree } from '../../../support/temp-dir.ts';

function file(name: string, text: string): MigrationFile {
  return { name, text, checksum: createHash('sha256').update(text).digest('hex') };
}

/** What is on record when `ran` statements of a file ran. */
function row(of: MigrationFile, { state, ran }: { state: MigrationRow['state']; ran: number }): MigrationRow {
  return {
    name: of.name,
    checksum: of.checksum,
    state,
    statements: ran,
    ranChecksum: new StatementHash(statementsOf(of)).ofFirst(ran),
    appliedAt: '2026-01-02T03:04:05.678Z',
    tookMs: 1,
    app: 'shop',
    commit: '0123456789abcdef',
    error: null,
  };
}

const two = 'SELECT 1;\n\nSELECT 2;\n';

test('names are ordered by their numbers, then by text, and those without a number come last', () => {
  const names = ['b.sql', '10_a.sql', '2_b.sql', '002_a.sql', '20260102030405_x.sql', 'a.sql', '1.sql'];
  expect(names.toSorted(compareMigrations)).toEqual([
    '1.sql',
    '002_a.sql',
    '2_b.sql',
    '10_a.sql',
    '20260102030405_x.sql',
    'a.sql',
    'b.sql',
  ]);
});

test('a plan has what was not applied, and nothing of what was', () => {
  const [first, second] = [file('1.sql', two), file('2.sql', 'SELECT 3')];
  const { pending, warnings } = planMigrations([first, second], [row(first, { state: 'applied', ran: 2 })]);
  expect(pending).toEqual([{ file: second, statements: [{ sql: 'SELECT 3', line: 1 }], ran: 0 }]);
  expect(warnings).toEqual([]);
});

test('a plan goes on behind what ran of a file that failed, as long as that is unchanged', () => {
  const failed = row(file('1.sql', two), { state: 'failed', ran: 1 });
  const mended = file('1.sql', '-- mended\nSELECT 1;\nSELECT 3;\n');
  expect(planMigrations([mended], [failed]).pending).toMatchObject([{ ran: 1 }]);
  expect(() => planMigrations([file('1.sql', 'SELECT 9;SELECT 2')], [failed])).toThrow(
    /its first statement has changed since an earlier attempt/,
  );
  const nothing = row(file('1.sql', two), { state: 'failed', ran: 0 });
  expect(planMigrations([file('1.sql', 'SELECT 9')], [nothing]).pending).toMatchObject([{ ran: 0 }]);
});

test('a file whose run broke off is refused with the statement that is in doubt, and what to do', () => {
  const broken = file('1.sql', two);
  expect(() => planMigrations([broken], [row(broken, { state: 'running', ran: 1 })])).toThrow(
    expect.objectContaining({
      code: 'FN_MIGRATION',
      file: 'migrations/1.sql',
      line: 3,
      message: expect.stringContaining('whether number 2 did is not known'),
      hint: expect.stringContaining("UPDATE fnrun_migrations SET state = 'failed' WHERE name = '1.sql'"),
    }),
  );
});

test('a changed file is refused, whatever comes after it', () => {
  const was = file('1.sql', two);
  expect(() =>
    planMigrations([file('1.sql', 'SELECT 2'), file('2.sql', 'SELECT 3')], [row(was, { state: 'applied', ran: 2 })]),
  ).toThrow(/has changed since it was applied \(2026-01-02T03:04:05\.678Z, with commit 01234567\)/);
});

test('files are read whatever their line breaks are, and names that a table cannot hold are refused', async () => {
  await using folder = await makeTempDir();
  expect(await readMigrations(folder.path)).toEqual([]);
  await writeTree(folder.path, {
    'migrations/2.sql': '\uFEFFSELECT 1;\r\n',
    'migrations/1.sql': 'SELECT 1;\n',
    'migrations/.hidden.sql': 'x',
    'migrations/knexfile.js': 'x',
  });
  const files = await readMigrations(folder.path);
  expect(files.map(({ name }) => name)).toEqual(['1.sql', '2.sql']);
  expect(files[0]!.checksum).toBe(files[1]!.checksum);
  await writeTree(folder.path, { 'migrations/3 spaces.sql': '' });
  await expect(readMigrations(folder.path)).rejects.toThrow(/the name of a migration has letters, digits/);
});
