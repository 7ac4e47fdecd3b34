import { expect, test } from 'vitest';
import { formatLogRecord } from '../../../cli/log-line.ts';
import { formatAge, formatDuration, formatMegabytes, renderTable } from '../../../cli/table.ts';

const base = { time: '2026-11-23T10:20:30.456Z', level: 'info', app: 'shop' } as const;

test('formatLogRecord shows an access line as method, path, status and time', () => {
  const access = { method: 'GET', path: '/users/7', status: 200, durationMs: 3.14 };
  const line = formatLogRecord({ ...base, message: '', access }, { color: false });
  expect(line).toBe('10:20:30.456 GET /users/7 200 3.1 ms');
});

test('formatLogRecord shows function, fields and the stack without its repeated message', () => {
  const line = formatLogRecord(
    {
      ...base,
      level: 'error',
      function: 'users/[id]',
      message: 'Error: no such user',
      stack: 'Error: no such user\n    at GET (functions/users/[id]/index.ts:3:9)',
      fields: { id: 7 },
    },
    { color: false },
  );
  expect(line).toBe(
    '10:20:30.456 error users/[id] Error: no such user {"id":7}\n    at GET (functions/users/[id]/index.ts:3:9)',
  );
});

test.each([
  ['error', ' (request 8b2c)'],
  ['warn', ' (request 8b2c)'],
  ['info', ''],
] as const)('formatLogRecord shows the request id of %s when asked to', (level, id) => {
  const record = { ...base, level, requestId: '8b2c', message: 'x' };
  expect(formatLogRecord(record, { color: false, requestIds: true })).toBe(`10:20:30.456 ${level.padEnd(5)} x${id}`);
  expect(formatLogRecord(record, { color: false })).not.toContain('8b2c');
});

test('formatLogRecord escapes control characters so that a log line cannot steer the terminal', () => {
  const line = formatLogRecord({ ...base, message: '\u001b[2Jgone\u0007' }, { color: false });
  expect(line).toBe('10:20:30.456 info  \\x1b[2Jgone\\x07');
});

test('formatLogRecord colours when asked to', () => {
  expect(formatLogRecord({ ...base, message: 'x' }, { color: true })).toContain('\u001b[36minfo');
});

test('renderTable aligns columns and leaves no trailing blanks', () => {
  expect(
    renderTable(
      ['A', 'LONG'],
      [
        ['wide cell', 'b'],
        ['c', ''],
      ],
    ),
  ).toBe('A          LONG\nwide cell  b\nc');
});

test.each([
  [0.4, '0 ms'],
  [999, '999 ms'],
  [1_240, '1.2 s'],
  [61_000, '1 min'],
  [7_300_000, '2 h'],
  [200_000_000, '2 d'],
])('formatDuration turns %d ms into one unit', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('formatAge counts from now and never below zero', () => {
  const nowMs = Date.parse('2026-11-23T10:00:00.000Z');
  expect(formatAge('2026-11-23T09:58:00.000Z', { nowMs })).toBe('2 min ago');
  expect(formatAge('2026-11-23T10:00:05.000Z', { nowMs })).toBe('0 ms ago');
});

test('formatMegabytes rounds to whole megabytes', () => {
  expect(formatMegabytes(73_400_000)).toBe('73 MB');
});
