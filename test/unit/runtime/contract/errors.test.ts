import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { errorCatalogue, FnrunError, problemOf } from '../../../../runtime/contract/errors.ts';

test('docs/errors.md lists the codes of the catalogue, with their status, exit code and meaning', async () => {
  const text = await readFile(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');
  const listed = text.split('\n').filter((line) => line.startsWith('| `FN_'));
  const rows = listed.map((line) =>
    line
      .split('|')
      .slice(1, 5)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
  const expected = Object.entries(errorCatalogue).map(([code, { status, exitCode, title }]) => [
    code,
    String(status ?? '–'),
    String(exitCode),
    title,
  ]);
  expect(rows).toEqual(expected);
});

test('problemOf says no more than it is given', () => {
  expect(problemOf('FN_TIMEOUT')).toEqual({
    type: 'about:blank#FN_TIMEOUT',
    title: 'The function did not answer in time',
    status: 504,
    code: 'FN_TIMEOUT',
  });
});

test('FnrunError keeps its cause and hint, and has the status of its code', () => {
  const cause = new Error('why');
  const error = new FnrunError('FN_NO_SUCH_APP', 'there is no app x', { cause, hint: 'see fnrun apps' });
  expect([error.cause, error.hint, error.status, new FnrunError('FN_SYNTAX', 'x').status]).toEqual([
    cause,
    'see fnrun apps',
    404,
    500,
  ]);
});
