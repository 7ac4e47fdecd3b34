import { type ChildProcess, spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { keyLimits } from '../../runtime/contract/limits.ts';
import { argumentsOnStdin } from '../receive/parse-command.ts';
import { explainSsh } from './explain-ssh.ts';
import { openTarget } from '../target-file.ts';
import type { Remote } from './find-remote.ts';
import type { RemoteRequest } from './request.ts';

/** A command to run on the server of `remote`. */
export interface RemoteRun {
  remote: Remote;
  args: string[];
  color: boolean;
  /** What the command reads: a file's path, `-` for standard input, null for nothing. */
  input: string | null;
  /** The file that its output goes to; null: this process's standard output. */
  output: string | null;
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Aborts at Ctrl-C. */
  signal: AbortSignal;
}

/**
 * Runs a command of fnrun on the server by the ssh that git would use, streams through what it says, and resolves to its
 * exit code. Rejects with FN_SSH_FAILED when ssh itself failed; ssh's own words are on standard error by then.
 */
export async function runRemote(run: RemoteRun): Promise<number> {
  // Some arguments are secrets; the server gets them on the standard input of ssh.
  process.title = `fnrun ${run.args[0] ?? ''}`;
  const source = run.input === null ? null : await openInput(run.input, run.cwd);
  const target = run.output === null ? null : await openTarget(resolve(run.cwd, run.output));
  const child = startSsh(run);
  const stored = target === null ? null : pipeline(child.stdout!, target.stream);
  // What became of it is asked for when ssh has ended.
  stored?.catch(() => undefined);
  const request: RemoteRequest = { args: run.args, color: run.color, input: source !== null };
  // ssh may have ended by then; its exit code tells why.
  child.stdin!.on('error', () => {});
  child.stdin!.write(`${JSON.stringify(request)}\n`);
  source?.on('error', () => child.stdin!.end()).pipe(child.stdin!);
  const words = keepWords(child);
  const onAbort = (): void => {
    // The server's end sees its input end, and ends the command; at a terminal Ctrl-C has reached ssh as well.
    child.stdin!.end();
    setTimeout(() => child.kill(), keyLimits.sshEndMs).unref();
  };
  run.signal.addEventListener('abort', onAbort, { once: true });
  if (run.signal.aborted) onAbort();
  try {
    const code = await ended(child);
    run.signal.throwIfAborted();
    await stored;
    if (code === 0) await target?.keep();
    if (code !== 255) return code ?? 1;
  } finally {
    await target?.close();
    run.signal.removeEventListener('abort', onAbort);
    source?.destroy();
  }
  const { message, hint } = explainSsh(words(), run.remote);
  throw new FnrunError('FN_SSH_FAILED', message, { hint });
}

function startSsh({ remote, output, cwd, env }: RemoteRun): ChildProcess {
  const { destination, port, sshCommand } = remote;
  const args = ['-T', ...(port === null ? [] : ['-p', port]), '--', destination, argumentsOnStdin];
  const out = output === null ? 'inherit' : 'pipe';
  const options = { cwd, env, stdio: ['pipe', out, 'pipe'] as ['pipe', 'inherit' | 'pipe', 'pipe'] };
  // A line of shell, as with git: GIT_SSH_COMMAND and core.sshCommand may hold options.
  if (sshCommand !== null) return spawn('sh', ['-c', `${sshCommand} "$@"`, sshCommand, ...args], options);
  return spawn(env['GIT_SSH'] || 'ssh', args, options);
}

async function openInput(input: string, cwd: string): Promise<Readable> {
  if (input === '-') return process.stdin;
  const path = resolve(cwd, input);
  const file = createReadStream(path);
  await new Promise<void>((opened, failed) => {
    file.once('open', () => opened());
    file.once('error', (cause: NodeJS.ErrnoException) =>
      failed(new FnrunError('FN_USAGE', `Cannot read ${path}: ${cause.code ?? cause.message}`, { cause })),
    );
  });
  return file;
}

/** Passes on what ssh and the command say on standard error, and keeps the end of it. */
function keepWords(child: ChildProcess): () => string {
  let words = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk);
    words = (words + chunk.toString('latin1')).slice(-keyLimits.sshWordsChars);
  });
  return () => words;
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((settle, reject) => {
    child.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'ENOENT' ? 'there is no ssh in PATH' : cause.message;
      const hint = 'install it, for example: apt install openssh-client';
      reject(new FnrunError('FN_SSH_FAILED', `Cannot run ssh: ${why}`, { cause, hint }));
    });
    child.once('close', settle);
  });
}
