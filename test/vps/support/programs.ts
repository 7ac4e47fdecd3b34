import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** What a program left. */
export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Standard input; none by default. */
  input?: string | Uint8Array;
  /** The program is ended after it. @default 600000 */
  timeoutMs?: number;
  env?: NodeJS.ProcessEnv;
}

/** Runs a program of this machine, whatever its exit code. Rejects when it cannot be started or takes too long. */
export async function runProgram(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { input, timeoutMs = 600_000, env = process.env } = options;
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { stdio: 'pipe', env });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 128));
  });
  // A program that reads nothing of its input is none of ours to judge.
  child.stdin.on('error', () => undefined).end(input);
  try {
    const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    if (late) throw new Error(`${argv.join(' ')} did not end within ${timeoutMs} ms; it said:\n${stdout}${stderr}`);
    return { code, stdout, stderr };
  } finally {
    clearTimeout(timer);
  }
}

/** One word for a shell. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Whether the process runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
