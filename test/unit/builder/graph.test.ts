import { expect, test } from 'vitest';
import { graphOf, groupsOf } from '../../../builder/bundle/graph.ts';

const names = (groups: { source: string }[][]): string[][] => groups.map((group) => group.map(({ source }) => source));

test('groupsOf puts functions together that share a file, transitively', () => {
  const inputs: Record<string, string[]> = {
    a: ['a', 'x'],
    b: ['b', 'y'],
    c: ['c', 'x', 'y'],
    d: ['d'],
    e: ['e', 'z'],
  };
  const functions = Object.keys(inputs).map((source) => ({ source }));
  expect(names(groupsOf(functions, ({ source }) => inputs[source]!))).toEqual([['a', 'b', 'c'], ['d'], ['e']]);
});

test('groupsOf joins a function with one that it imports', () => {
  const inputs: Record<string, string[]> = { a: ['a'], b: ['a', 'b'] };
  expect(names(groupsOf([{ source: 'a' }, { source: 'b' }], ({ source }) => inputs[source]!))).toEqual([['a', 'b']]);
});

test('graphOf holds the files of the app only, and the folders that decide what imports mean', () => {
  const metafile = {
    inputs: {
      'functions/a/index.ts': {
        bytes: 1,
        imports: [
          { path: 'lib/db/index.ts', kind: 'import-statement' as const, original: '../../lib/db' },
          { path: 'node_modules/hono/dist/index.js', kind: 'import-statement' as const, original: 'hono' },
          { path: "lib/q.sql with { type: 'text' }", kind: 'import-statement' as const, original: '../../lib/q.sql' },
          { path: 'node:fs', kind: 'import-statement' as const, external: true },
        ],
      },
      'lib/db/index.ts': { bytes: 1, imports: [] },
      "lib/q.sql with { type: 'text' }": { bytes: 1, imports: [] },
      'node_modules/hono/dist/index.js': { bytes: 1, imports: [] },
      'functions/other.ts': { bytes: 1, imports: [] },
    },
    outputs: {},
  };
  expect(graphOf(metafile, 'functions/a/index.ts')).toEqual({
    inputs: ['functions/a/index.ts', 'lib/db/index.ts', 'lib/q.sql'],
    folders: ['lib', 'lib/db'],
  });
});
