import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { setupLimits } from '../../runtime/contract/limits.ts';
import type { Ran } from './machine.ts';

export interface ProgramOptions {
  /** Standard input; none by default. A stream is read to its end. */
  input?: string | Uint8Array | Readable;
  /** It is ended after it, with what it started. */
  timeoutMs: number;
  env?: NodeJS.ProcessEnv;
  /** Where it runs, for people. */
  on: string;
  /** What it is, for people. @default its first word */
  called?: string;
}

/**
 * Runs a program of this machine and resolves to what it left, whatever its exit code; 127 when it is not there. In a
 * session of its own: a terminal's Ctrl-C does not end it half-way. Rejects with FN_SETUP_FAILED after the deadline, or
 * when it prints more than `setupLimits.outputBytes`.
 */
export async function runProgram(argv: readonly string[], options: ProgramOptions): Promise<Ran> {
  const { input, timeoutMs, on, env = process.env } = options;
  const [program = '', ...args] = argv;
  const { called = program } = options;
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env, detached: true });
  const wrong = Promise.withResolvers<never>();
  const fail = (why: string): void => {
    killGroup(child);
    wrong.reject(new FnrunError('FN_SETUP_FAILED', `${called} ${why} on ${on}`));
  };
  const timer = setTimeout(() => fail(`did not end within ${timeoutMs / 1000} s`), timeoutMs);
  const keep = collector(() => fail(`printed more than ${setupLimits.outputBytes} bytes`));
  const [stdout, stderr] = [keep(child.stdout), keep(child.stderr)];
  feed(child, { input, onError: (error) => wrong.reject(error) });
  try {
    const code = await Promise.race([ended(child), wrong.promise]);
    return { code, stdout: stdout(), stderr: stderr() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || child.pid !== undefined) throw error;
    return { code: 127, stdout: '', stderr: `${program}: not found` };
  } finally {
    clearTimeout(timer);
  }
}

function feed(
  child: ChildProcess,
  { input, onError }: { input: ProgramOptions['input']; onError: (error: Error) => void },
): void {
  // A program that reads nothing of its input is none of ours to judge.
  child.stdin!.on('error', () => undefined);
  if (input === undefined || typeof input === 'string' || input instanceof Uint8Array) {
    child.stdin!.end(input);
    return;
  }
  input.on('error', (error) => {
    killGroup(child);
    onError(error);
  });
  input.pipe(child.stdin!);
}

function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
}

function collector(onFull: () => void): (stream: Readable) => () => string {
  return (stream) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > setupLimits.outputBytes) onFull();
      else chunks.push(chunk);
    });
    return () => Buffer.concat(chunks).toString('utf8');
  };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
