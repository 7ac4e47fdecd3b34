import { expect, test } from 'vitest';
import type { BuildProblem } from '../../../../builder/build.ts';
import { createReport } from '../../../../cli/dev/report.ts';
import type { Reload } from '../../../../cli/dev/reloader.ts';
import type { Manifest } from '../../../../runtime/contract/manifest.ts';

const manifest = { functions: [], public: [] } as unknown as Manifest;
const problem: BuildProblem = {
  code: 'FN_SYNTAX',
  message: 'Unexpected ";"',
  file: null,
  line: null,
  column: null,
  lineText: null,
  length: null,
  hint: null,
};
const failed: Reload = { kind: 'failed', problems: [problem], warnings: [], serving: true };
const unchanged: Reload = { kind: 'unchanged', totalMs: 1 };

function live(changed: string[], { env = false } = {}): Reload {
  return { kind: 'live', manifest, changed, env, warnings: [], notes: [], buildMs: 1, totalMs: 2 };
}

/** What is said on standard output about these builds, from the second one on. */
function tell(reloads: readonly Reload[]): string[] {
  let lines: string[] = [];
  const report = createReport({
    app: 'shop',
    url: 'http://127.0.0.1:3000',
    color: false,
    out: (line) => lines.push(line),
    err: () => undefined,
  });
  report.reload(live(['index']));
  lines = [];
  for (const reload of reloads) report.reload(reload);
  return lines;
}

test('report says that a build works again when the save led back to what is live', () => {
  expect(tell([failed, unchanged, unchanged])).toEqual(['mended, what is served is up to date']);
});

test('report is silent about a save that changes nothing', () => {
  expect(tell([unchanged])).toEqual([]);
});

test.each([
  [live(['users/[id]']), 'reloaded users/[id] (2 ms, build 1 ms)'],
  [live([], { env: true }), 'reloaded every function, .env changed (2 ms, build 1 ms)'],
  [live([]), 'reloaded files or settings, the code of no function changed (2 ms, build 1 ms)'],
])('report names what was reloaded: %#', (reload, line) => {
  expect(tell([reload])).toEqual([line]);
});
