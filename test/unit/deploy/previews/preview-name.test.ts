import fc from 'fast-check';
import { expect, test } from 'vitest';
import { previewName } from '../../../../deploy/previews/preview-name.ts';
import { previewAppPolicy } from '../../../../deploy/previews/preview-policy.ts';

test.each([
  ['topic', 'topic--shop'],
  ['Feature/Log_in', 'feature-log-in--shop'],
  ['--x--', 'x--shop'],
  ['xn', expect.stringMatching(/^xn-[0-9a-f]{6}--shop$/)],
  ['ÄÖ', expect.stringMatching(/^b-[0-9a-f]{6}--shop$/)],
])('previewName of the branch %s is %s', (branch, expected) => {
  expect(previewName(branch, { app: 'shop' })).toEqual(expected);
});

test('previewName is a label of a host name that names the app, whatever the branch', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 120 }),
      fc.integer({ min: 1, max: 40 }),
      fc.boolean(),
      (branch, length, marked) => {
        const app = 'a'.repeat(length);
        const name = previewName(branch, { app, marked });
        expect(name).toMatch(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/);
        expect(name.length).toBeLessThanOrEqual(63);
        expect(name.endsWith(`--${app}`)).toBe(true);
      },
    ),
  );
});

test('previewAppPolicy gives a preview the smaller of what the operator says of apps, and of previews', () => {
  expect(previewAppPolicy({}).ceilings).toEqual({ memoryMb: 256, threads: 8, idleStopMs: 60_000 });
  expect(previewAppPolicy({ ceilings: { memoryMb: 128, cpus: 1 } }, { memoryMb: 512 }).ceilings).toEqual({
    memoryMb: 128,
    threads: 8,
    idleStopMs: 60_000,
    cpus: 1,
  });
  expect(previewAppPolicy({ ceilings: { idleStopMs: 0 } }, {}).ceilings?.idleStopMs).toBe(60_000);
  expect(previewAppPolicy({ ceilings: { idleStopMs: 5_000 } }, { idleStopMs: 0 }).ceilings?.idleStopMs).toBe(5_000);
});
