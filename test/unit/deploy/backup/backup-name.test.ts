import { expect, test } from 'vitest';
import { backupFile, outdated, parseBackupFile } from '../../../../deploy/backup/backup-name.ts';

const day = 86_400_000;
const now = new Date('2027-02-01T01:00:00Z');
const at = (daysAgo: number, of: string) =>
  parseBackupFile(backupFile(of, { at: new Date(now.getTime() - daysAgo * day) }))!;

test('the name of a backup says what it is of and when it was begun', () => {
  expect(backupFile('fnrun_shop-a', { at: now })).toBe('20270201T010000Z-fnrun_shop-a.sql.gz');
  expect(parseBackupFile('20270201T010000Z-fnrun_shop-a.sql.gz')).toMatchObject({ of: 'fnrun_shop-a', at: now });
  for (const other of [
    'latest',
    '../20270201T010000Z-x.sql.gz',
    '20271301T010000Z-x.sql.gz',
    '.new-20270201T010000Z-x.sql.gz',
  ]) {
    expect([other, parseBackupFile(other)]).toEqual([other, null]);
  }
});

test('what is older than the days that it is kept goes, but never the last of anything', () => {
  const all = [at(40, 'a'), at(20, 'a'), at(13, 'a'), at(60, 'b'), at(50, 'b'), at(0, 'c')];
  const gone = outdated(all, { now, keepDays: 14 });
  expect(gone).toEqual([all[0], all[1], all[3]]);
  expect(outdated(all, { now, keepDays: 100 })).toEqual([]);
});
