import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { canInstall, installTools, missingTools } from './debian-tools.ts';

// `npm test [-- FILTER…]`: installs or names what the machine lacks, runs vitest, and ends with one line of counts.

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

/** Programs that the tests run for real. */
const tools = [
  { name: 'git', args: ['--version'], package: 'git' },
  { name: 'nginx', args: ['-v'], package: 'nginx' },
  { name: 'mariadbd', args: ['--version'], package: 'mariadb-server' },
  { name: 'faketime', args: ['--version'], package: 'faketime' },
  { name: 'bwrap', args: ['--version'], package: 'bubblewrap' },
  { name: 'sshd', args: ['-V'], package: 'openssh-server' },
  { name: 'ssh', args: ['-V'], package: 'openssh-client' },
  { name: 'systemd-analyze', args: ['--version'], package: 'systemd' },
  { name: 'openssl', args: ['version'], package: 'openssl' },
];

let missing = missingTools(tools);
if (missing.length > 0 && canInstall()) {
  const failure = installTools(missing);
  if (failure !== null) console.error(failure);
  missing = missingTools(tools);
}
for (const tool of missing) {
  console.error(
    `The tests need ${tool.name}, which is not installed here. Get it with: apt-get install ${tool.package} (as root)`,
  );
}
process.exitCode = missing.length > 0 ? 1 : await runVitest(process.argv.slice(2));

async function runVitest(args: string[]): Promise<number> {
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
    for (const line of await closingLines(file)) console.log(line);
    return code ?? 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whatever failed, once more where it is seen first, and then the counts. */
async function closingLines(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return ['No test ran: vitest ended before its report'];
  const report = JSON.parse(text) as Report;
  // A file that does not even load has no test to count, and must not look like success.
  const broken = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  const failed = report.numFailedTests + broken.length;
  return [
    ...report.testResults.flatMap(failuresOf),
    `${report.numPassedTests} passed, ${failed} failed, ${report.numPendingTests + report.numTodoTests} skipped`,
  ];
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
