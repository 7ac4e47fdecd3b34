import { expect, test } from 'vitest';
import { problemOfEntry } from '../../../deploy/boot-check.ts';
import type { BootCheckEntry } from '../../../runtime/contract/ipc.ts';
import type { Manifest } from '../../../runtime/contract/manifest.ts';

test('problemOfEntry says what to do about a module that does not load in time', async () => {
  const entry = {
    name: 'slow',
    error: { code: 'FN_LOAD_TIMEOUT', message: 'the module did not load within 10000 ms' },
  } as BootCheckEntry;
  const manifest = { functions: [{ name: 'slow', source: 'functions/slow/index.ts' }] } as Manifest;
  expect(await problemOfEntry(entry, { sourceDir: '/nowhere', manifest })).toMatchObject({
    code: 'FN_LOAD_TIMEOUT',
    file: 'functions/slow/index.ts',
    hint: 'do less while the module loads: connect on the first request instead',
  });
});
