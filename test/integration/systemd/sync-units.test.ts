import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { renderUnit } from '../../../deploy/systemd/render-unit.ts';
import { planSyncUnits } from '../../../deploy/systemd/sync-units.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

const run = promisify(execFile);

test("systemd has nothing to say about the units of root's side, but that they are safe enough", async () => {
  await using temp = await makeTempDir();
  const units = planSyncUnits({
    program: ['/bin/true'],
    requestFile: '/var/lib/fnrun/run/sync',
    writable: ['-/etc/nginx', '-/var/lib/fnrun-tls'],
  });
  const files = units.map(({ name }) => join(temp.path, name));
  for (const [i, { sections }] of units.entries()) await writeFile(files[i]!, renderUnit(sections));
  const verified = await run('systemd-analyze', ['verify', '--man=no', ...files]);
  expect(verified.stdout + verified.stderr).toBe('');
  const args = ['security', '--offline=true', '--no-pager', files[0]!];
  const { stdout } = await run('systemd-analyze', args);
  const score = Number(/Overall exposure level for fnrun-sync\.service: (\d+\.\d)/.exec(stdout)?.[1]);
  expect(score).toBeGreaterThan(0);
  expect(score).toBeLessThanOrEqual(3);
});
