import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/** The part of vitest's JSON report that the closing line is made of. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { name: string; status: string; message?: string; assertionResults: AssertionResult[] }[];
}

/** One test in it. */
interface AssertionResult {
  status: string;
  fullName: string;
  failureMessages?: string[];
}

const root = join(import.meta.dirname, '../..');

/** Runs vitest with `args`, ends with one line of counts, and resolves to the exit code. With `noSkips` a skipped test is a failure. */
export async function runVitest(args: readonly string[], { noSkips = false } = {}): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'fnrun-test-report-'));
  const file = join(folder, 'report.json');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  try {
    const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...args], { cwd: root, stdio: 'inherit' });
    // Ctrl-C reaches vitest by itself; this process stays to remove the folder.
    process.on('SIGINT', () => undefined);
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    const [code] = (await once(child, 'exit')) as [number | null];
    const { lines, skipped } = await closingLines(file);
    for (const line of lines) console.log(line);
    return noSkips && skipped > 0 ? 1 : (code ?? 1);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whatever failed, once more where it is seen first, and then the counts. */
async function closingLines(file: string): Promise<{ lines: string[]; skipped: number }> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return { lines: ['No test ran: vitest ended before its report'], skipped: 0 };
  const report = JSON.parse(text) as Report;
  // A file that does not even load has no test to count, and must not look like success.
  const broken = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  const failed = report.numFailedTests + broken.length;
  const skipped = report.numPendingTests + report.numTodoTests;
  const counts = `${report.numPassedTests} passed, ${failed} failed, ${skipped} skipped`;
  return { lines: [...report.testResults.flatMap(failuresOf), counts], skipped };
}

function failuresOf({ name, status, message = '', assertionResults }: Report['testResults'][number]): string[] {
  const file = relative(root, name);
  if (status === 'failed' && assertionResults.length === 0) return [`FAILED ${file} does not load: ${message}`];
  return assertionResults
    .filter((test) => test.status === 'failed')
    .map(
      ({ fullName, failureMessages = [] }) =>
        `FAILED ${file} > ${fullName}\n  ${(failureMessages[0] ?? '').split('\n').slice(0, 12).join('\n  ')}`,
    );
}
