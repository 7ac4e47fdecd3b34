import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Runs a program to its end, its output going to this terminal. Rejects when it fails. */
export async function run(command: string, args: readonly string[], options: { cwd: string }): Promise<void> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`);
}

/** Runs a program to its end and resolves to its standard output. Rejects with what it said when it fails. */
export async function read(command: string, args: readonly string[], options: { cwd: string }): Promise<string> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let all = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    all += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (all += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${all}`);
  return stdout;
}

/** Starts a program that stays, and resolves once its output matches `ready`. Rejects when it ends before. */
export async function start(
  command: string,
  args: readonly string[],
  options: { ready: RegExp; deadlineMs: number },
): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const seen = new Promise<void>((resolve, reject) => {
    const look = (text: string): void => {
      output += text;
      if (options.ready.test(output)) resolve();
    };
    child.stdout.setEncoding('utf8').on('data', look);
    child.stderr.setEncoding('utf8').on('data', look);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}:\n${output}`)));
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), options.deadlineMs);
  try {
    await seen;
  } finally {
    clearTimeout(timer);
  }
  return child;
}

/** Asks a program to end and waits for it; after `deadlineMs` it is killed. */
export async function stop(child: ChildProcess, { deadlineMs }: { deadlineMs: number }): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  await ended;
  clearTimeout(timer);
}
