import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockHome } from '../../../deploy/home-lock.ts';
import { eventually } from '../../support/deadline.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

test('lockHome refuses a home that another process has, and takes it once that was killed', async () => {
  await using dir = await makeTempDir('fn-');
  const file = join(dir.path, 'daemon.lock');
  const module = new URL('../../../deploy/home-lock.ts', import.meta.url).href;
  const script = `const { lockHome } = await import(${JSON.stringify(module)});
    const lock = lockHome(${JSON.stringify(file)}, { home: 'h' });
    process.stdin.on('end', () => lock.release()).resume(); console.log('held');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  expect(() => lockHome(file, { home: '/srv/f' })).toThrowError(
    expect.objectContaining({
      code: 'FN_ALREADY_RUNNING',
      message: `Another fnrun server (process ${child.pid}) has the home /srv/f`,
    }),
  );
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = await eventually(() => lockHome(file, { home: '/srv/f' }));
  expect(() => lockHome(file, { home: '/srv/f' })).toThrowError(
    expect.objectContaining({ code: 'FN_ALREADY_RUNNING' }),
  );
  lock.release();
  lockHome(file, { home: '/srv/f' }).release();
});
