import { expect, test } from 'vitest';
import type { BuildProblem } from '../../../builder/build.ts';
import { problemRecord } from '../../../deploy/problem-record.ts';

const problem = (message: string, place: Partial<BuildProblem> = {}): BuildProblem => ({
  code: null,
  message,
  file: null,
  line: null,
  column: null,
  lineText: null,
  length: null,
  hint: null,
  ...place,
});

test('problemRecord tells the first problem with its place, and how many more there are', () => {
  const first = problem('Unexpected ";"', { file: 'functions/index.ts', line: 7, column: 11 });
  expect(problemRecord([first, problem('other')])).toBe('functions/index.ts:7:11: Unexpected ";" (and 1 more)');
});

test('problemRecord goes on to what npm said when the first line only announces it', () => {
  const failed = problem('npm ci failed with exit code 1:\n  npm error code E404\n  npm error 404 Not Found');
  expect(problemRecord([failed])).toBe('npm ci failed with exit code 1: npm error code E404');
});
