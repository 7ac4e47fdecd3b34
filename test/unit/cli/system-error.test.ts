import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeError } from '../../../cli/print-error.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';

test.each([[['file']], [['file', 'below']]])('describeError says that a file is in the way for %j', async (parts) => {
  await using dir = await makeTempDir();
  await writeTree(dir.path, { file: 'x' });
  const path = join(dir.path, ...parts);
  const error: unknown = await mkdir(path, { recursive: true }).catch((cause: unknown) => cause);
  expect(describeError(error)).toEqual({
    code: null,
    message: `Cannot use ${path}: a file stands where a folder is needed`,
    hint: 'name another folder',
    exitCode: 1,
  });
});

test('describeError leaves an error without a path to FNRUN_DEBUG', () => {
  const error = Object.assign(new Error('boom'), { code: 'EEXIST' });
  expect(describeError(error)).toMatchObject({ message: 'boom', hint: 'set FNRUN_DEBUG=1 to see where it happened' });
});
