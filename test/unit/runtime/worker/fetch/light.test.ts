import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const script = join(import.meta.dirname, '../../../../fixtures/fetch/uses-no-undici.ts');

test('what most handlers do loads no implementation of fetch', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 20_000 });
  expect(JSON.parse(stdout)).toEqual({
    said: [{ a: 1 }, '{"a":1}', 7, 'text', false, true, 201, { got: { a: 1 }, query: 'c' }],
    loaded: false,
  });
});
