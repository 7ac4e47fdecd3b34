import { expect, test } from 'vitest';
import { TreeReader } from '../../../deploy/git/tree.ts';
import { buildLimits } from '../../../runtime/contract/limits.ts';

const blob = 'a'.repeat(40);
const entry = (path: string | Buffer, { mode = '100644', size = '12' } = {}): Buffer =>
  Buffer.concat([Buffer.from(`${mode} blob ${blob} ${size.padStart(7)}\t`), Buffer.from(path), Buffer.from([0])]);

function read(...entries: Buffer[]) {
  const reader = new TreeReader();
  for (const one of entries) reader.push(one);
  return reader.files;
}

test('TreeReader lists plain files', () => {
  expect(read(entry('functions/a b.ts'), entry('x.sh', { mode: '100755', size: '3' }))).toEqual([
    { path: 'functions/a b.ts', blob, bytes: 12, executable: false },
    { path: 'x.sh', blob, bytes: 3, executable: true },
  ]);
});

test('TreeReader joins entries that come in pieces', () => {
  const bytes = Buffer.concat([entry('one'), entry('two')]);
  const reader = new TreeReader();
  for (const byte of bytes) reader.push(Buffer.from([byte]));
  expect(reader.files.map((file) => file.path)).toEqual(['one', 'two']);
});

test.each([
  ['120000', 'link is a symbolic link: only plain files are built'],
  ['160000', 'link is a submodule: only plain files are built'],
  ['100600', 'link has the mode 100600: only plain files are built'],
])('TreeReader refuses mode %s and names the path', (mode, message) => {
  expect(() => read(entry('link', { mode, size: '-' }))).toThrowError(
    expect.objectContaining({ code: 'FN_SOURCE_ENTRY', message }),
  );
});

test.each([
  ['../x', 'segment'],
  ['a/../x', 'segment'],
  ['a/.GIT/config', 'segment'],
  ['a//b', 'segment'],
  ['a\nb', 'control character'],
  [`${'d/'.repeat(600)}x`, 'longer than'],
  ['y'.repeat(256), '255 bytes'],
])('TreeReader refuses the path %j', (path, why) => {
  expect(() => read(entry(path))).toThrowError(
    expect.objectContaining({ code: 'FN_SOURCE_ENTRY', message: expect.stringContaining(why) }),
  );
});

test('TreeReader refuses a path that is not UTF-8', () => {
  expect(() => read(entry(Buffer.from([0x61, 0xff])))).toThrowError(/not valid UTF-8/);
});

test('TreeReader refuses a file that is too large, and too many bytes together', () => {
  const size = String(buildLimits.sourceFileBytes + 1);
  expect(() => read(entry('big.bin', { size }))).toThrowError(/big\.bin has/);
  const reader = new TreeReader();
  const most = { size: String(buildLimits.sourceFileBytes) };
  const fits = Math.floor(buildLimits.sourceBytes / buildLimits.sourceFileBytes);
  for (let n = 0; n < fits; n += 1) reader.push(entry(`f${n}`, most));
  expect(() => reader.push(entry('one-more', most))).toThrowError(expect.objectContaining({ code: 'FN_SOURCE_LIMIT' }));
});

test('TreeReader refuses too many files', () => {
  const reader = new TreeReader();
  for (let n = 0; n < buildLimits.sourceFiles; n += 1) reader.push(entry(`f${n}`, { size: '0' }));
  expect(() => reader.push(entry('one-more'))).toThrowError(expect.objectContaining({ code: 'FN_SOURCE_LIMIT' }));
});
