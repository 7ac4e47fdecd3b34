import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { parseAssignments, readValue } from '../../../cli/env-change.ts';
import { envLimits } from '../../../runtime/contract/limits.ts';

test('parseAssignments takes all after the first = as the value', () => {
  expect(parseAssignments(['A=1', 'B=', 'C=x=y==', 'D=-1', 'E=-'])).toEqual({
    set: { A: '1', B: '', C: 'x=y==', D: '-1' },
    fromInput: 'E',
  });
});

test.each([
  [['hunter2-hunter2'], 'Variable 1 is no NAME=VALUE'],
  [['A=1', '=hunter2-hunter2'], 'Variable 2 is no NAME=VALUE'],
  [['A=1', 'A=hunter2-hunter2'], 'A is given twice'],
  [['A=-', 'A=hunter2-hunter2'], 'A is given twice'],
  [['A=-', 'B=-'], 'not of A and B'],
])('parseAssignments refuses %j and tells no value', (args, message) => {
  expect(() => parseAssignments(args)).toThrow(message);
  expect(() => parseAssignments(args)).not.toThrow('hunter2');
});

test.each([
  ['a value\n', 'a value'],
  ['a value\r\n', 'a value'],
  ['two\n\n', 'two\n'],
  ['', ''],
  ['\ufeffä', '\ufeffä'],
])('readValue drops one line break at the end: %j', async (text, value) => {
  // In pieces, also within a character.
  const pieces = [...Buffer.from(text)].map((byte) => Buffer.from([byte]));
  expect(await readValue(Readable.from(pieces))).toBe(value);
});

test('readValue refuses binary data, and reads no more than a value may have', async () => {
  await expect(readValue(Readable.from([Buffer.from([0xff, 0xfe])]))).rejects.toMatchObject({ code: 'FN_BAD_ENV' });
  let given = 0;
  const endless = async function* (): AsyncGenerator<Buffer> {
    for (;;) {
      given += 1024;
      yield Buffer.alloc(1024, 'x');
    }
  };
  await expect(readValue(endless())).rejects.toMatchObject({ code: 'FN_BAD_ENV' });
  expect(given).toBeLessThan(envLimits.valueBytes + 4096);
});
