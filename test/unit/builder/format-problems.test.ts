import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { formatProblems } from '../../../builder/format-problems.ts';
import { problem } from '../../../builder/problem.ts';
import { buildLimits } from '../../../runtime/contract/limits.ts';

const unresolved = problem('FN_UNRESOLVED_IMPORT', '"hono" does not resolve', {
  file: 'functions/users/[id]/index.ts',
  line: 12,
  column: 22,
  lineText: "import { Hono } from 'hono';",
  length: 6,
  hint: 'npm install hono',
});

test('problem is shown with its place, line, underline and hint', () => {
  expect(formatProblems([unresolved])).toBe(
    [
      'error[FN_UNRESOLVED_IMPORT]: "hono" does not resolve',
      '  --> functions/users/[id]/index.ts:12:22',
      '     |',
      "  12 | import { Hono } from 'hono';",
      '     |                      ^^^^^^',
      '  help: npm install hono',
    ].join('\n'),
  );
});

test('colours change nothing but colours', () => {
  const colored = formatProblems([unresolved], { color: true });
  expect(colored).not.toBe(formatProblems([unresolved]));
  expect(stripVTControlCharacters(colored)).toBe(formatProblems([unresolved]));
});

test('problems without a place, and warnings without a code, are shown', () => {
  expect(
    formatProblems([problem('FN_NO_FUNCTIONS', 'No functions'), problem(null, 'Odd', { file: 'a.ts' })], {
      kind: 'warning',
    }),
  ).toBe('warning[FN_NO_FUNCTIONS]: No functions\n\nwarning: Odd\n  --> a.ts');
});

test('problems beyond the limit are counted', () => {
  const text = formatProblems(Array(buildLimits.errorsShown + 3).fill(unresolved));
  expect(text.match(/does not resolve/g)).toHaveLength(buildLimits.errorsShown);
  expect(text).toMatch(/… and 3 more errors$/);
});

test('long line is cut around the place', () => {
  const lineText = `${'x'.repeat(5000)}BAD${'y'.repeat(5000)}`;
  const lines = formatProblems([
    problem('FN_SYNTAX', 'Bad', { file: 'a.js', line: 1, column: 5001, lineText, length: 3 }),
  ]).split('\n');
  const [code = '', marks = ''] = lines.slice(3);
  expect(code.length).toBeLessThan(120);
  expect(code.slice(marks.indexOf('^'), marks.lastIndexOf('^') + 1)).toBe('BAD');
});

test('control characters of a source do not reach the terminal', () => {
  const text = formatProblems([
    problem('FN_SYNTAX', 'Bad', { file: 'a.js', line: 1, column: 1, lineText: 'a\u001b[31mb\tc\r', length: 1 }),
  ]);
  expect(stripVTControlCharacters(text)).toBe(text);
});
