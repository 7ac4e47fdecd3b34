import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { within } from './deadline.ts';

/** The root of this repository. */
export const repositoryRoot = fileURLToPath(new URL('../../', import.meta.url));

/** The launcher, as a user calls it. */
export const launcher = fileURLToPath(new URL('../../cli/fnrun.js', import.meta.url));

/** Where and with what a command runs. */
export interface CliOptions {
  /** @default the repository's root */
  cwd?: string;
  /** Beside the test's own environment, which goes without what belongs to the test runner. */
  env?: Record<string, string>;
  /** The Node that calls the launcher. @default the one running the test */
  node?: string;
  /** A program and its arguments that the launcher is started by. */
  wrap?: readonly string[];
  /** Text for standard input. @default none (closed) */
  input?: string;
  /** For the whole run of `runCli`, for the ready line of `startCli`. @default 30000 */
  deadlineMs?: number;
}

/** What a finished command left. */
export interface CliResult {
  /** Exit code; null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A command that stays, such as `serve` or `dev`. */
export interface RunningCli extends AsyncDisposable {
  readonly child: ChildProcess;
  /** The first match of `ready`, or its first group. */
  readonly ready: string;
  /** Standard output and standard error so far, interleaved. */
  readonly output: () => string;
  /** Resolves when the output, from the offset `from` on, matches; with the match. */
  readonly waitFor: (pattern: RegExp, options?: { from?: number; deadlineMs?: number }) => Promise<RegExpExecArray>;
  /** Resolves when it has ended by itself; rejects after `deadlineMs` (30 s). */
  readonly waitForExit: (deadlineMs?: number) => Promise<CliResult>;
  /** Sends `signal` (SIGTERM), waits for the end, and kills after 10 s. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<CliResult>;
}

/** Runs `fnrun …args` to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = spawnCli(args, options);
  const timer = setTimeout(() => child.kill('SIGKILL'), options.deadlineMs ?? 30_000);
  try {
    return await resultOf(child);
  } finally {
    clearTimeout(timer);
  }
}

/** The first URL a server prints, without trailing slash. */
export const urlPattern = /(https?:\/\/[^\s/]+:\d+)/;

/** Starts `fnrun …args` and resolves when its output matches `ready` (by default: prints a URL). */
export async function startCli(
  args: readonly string[],
  options: CliOptions & { ready?: RegExp } = {},
): Promise<RunningCli> {
  const child = spawnCli(args, options);
  const result = resultOf(child);
  let output = '';
  const watchers = new Set<() => void>();
  const collect = (text: string) => {
    output += text;
    for (const look of watchers) look();
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);

  const waitFor: RunningCli['waitFor'] = (pattern, { from = 0, deadlineMs = 30_000 } = {}) =>
    new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        watchers.delete(look);
        clearTimeout(timer);
        finish();
      };
      const fail = (why: string) =>
        settle(() => reject(new Error(`fnrun ${args.join(' ')}: ${why} before ${pattern}; it said:\n${output}`)));
      const look = () => {
        const match = new RegExp(pattern.source, pattern.flags.replace('g', '')).exec(output.slice(from));
        if (match !== null) settle(() => resolve(match));
      };
      const timer = setTimeout(() => fail(`${deadlineMs} ms went by`), deadlineMs);
      watchers.add(look);
      void result.then(({ code, signal }) => fail(`ended with ${signal ?? code}`));
      look();
    });

  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    return result.finally(() => clearTimeout(timer));
  };

  try {
    const match = await waitFor(options.ready ?? urlPattern, { deadlineMs: options.deadlineMs ?? 30_000 });
    const ready = match[1] ?? match[0];
    return {
      child,
      ready,
      output: () => output,
      waitFor,
      waitForExit: (deadlineMs = 30_000) => within(deadlineMs, `the end of fnrun ${args.join(' ')}`, result),
      stop,
      [Symbol.asyncDispose]: async () => void (await stop()),
    };
  } catch (error) {
    await stop('SIGKILL');
    throw error;
  }
}

/** What a user's shell would have: npm, for one, may need a proxy or certificates named there. */
function userEnvironment(): NodeJS.ProcessEnv {
  const own = /^(VITEST|NODE_ENV$|NODE_OPTIONS$|NODE_V8_COVERAGE$|TEST$|DEV$|PROD$|MODE$|FORCE_COLOR$|FNRUN_|GIT_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
}

function spawnCli(args: readonly string[], options: CliOptions): ChildProcess {
  const [program = '', ...rest] = [...(options.wrap ?? []), options.node ?? process.execPath, launcher, ...args];
  const child = spawn(program, rest, {
    cwd: options.cwd ?? repositoryRoot,
    env: { ...userEnvironment(), NO_COLOR: '1', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdout?.setEncoding('utf8');
  child.stderr?.setEncoding('utf8');
  // A command that has ended by then reads nothing.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? '');
  return child;
}

function resultOf(child: ChildProcess): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (text: string) => void (stdout += text));
  child.stderr?.on('data', (text: string) => void (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
