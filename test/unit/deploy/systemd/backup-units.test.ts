import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planBackupTimer, planBackupUnit } from '../../../../deploy/systemd/backup-units.ts';
import { renderUnit } from '../../../../deploy/systemd/render-unit.ts';

test('systemd takes the units of the backup', () => {
  const dir = mkdtempSync(join(tmpdir(), 'fnrun-unit-'));
  try {
    const files = {
      'fnrun-backup.service': planBackupUnit({ program: ['/bin/true'], keepDays: 14 }),
      'fnrun-backup.timer': planBackupTimer(),
    };
    for (const [name, sections] of Object.entries(files)) writeFileSync(join(dir, name), renderUnit(sections));
    const paths = Object.keys(files).map((name) => join(dir, name));
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...paths], { encoding: 'utf8' });
    expect([status, stderr.split('\n').filter((line) => line.includes('fnrun-backup'))]).toEqual([0, []]);
    expect(spawnSync('systemd-analyze', ['calendar', '*-*-* 02:30']).status).toBe(0);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
