import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { deployLimits } from '../../runtime/contract/limits.ts';
import { withoutCapabilities } from '../../runtime/supervisor/privileges.ts';

/** Where git runs, and what it may see. */
export interface GitOptions {
  /** The bare repository. */
  repository: string;
  /** Objects of a push that git has not taken over yet; absolute paths. */
  quarantine?: Quarantine | null;
  signal?: AbortSignal;
}

/** git's own names: GIT_OBJECT_DIRECTORY, GIT_ALTERNATE_OBJECT_DIRECTORIES, GIT_QUARANTINE_PATH. */
export interface Quarantine {
  objectDirectory: string;
  alternates: string;
  path: string;
}

/** How a run of git ended. */
export interface GitExit {
  code: number;
  stderr: string;
}

/**
 * The whole environment of every git that the server runs: nothing of the machine's or the
 * user's configuration takes part, and a replaced object is never read for the real one.
 */
export function gitEnvironment(quarantine: Quarantine | null = null): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    ...(quarantine !== null && {
      GIT_OBJECT_DIRECTORY: quarantine.objectDirectory,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: quarantine.alternates,
      GIT_QUARANTINE_PATH: quarantine.path,
    }),
  };
}

/** Starts git without hooks. It is killed after `deployLimits.gitMs`. */
export function startGit(args: readonly string[], options: GitOptions): ChildProcessWithoutNullStreams {
  const { repository, quarantine = null, signal } = options;
  const [program = '', ...own] = withoutCapabilities(['git', '-c', 'core.hooksPath=/dev/null', ...args]);
  return spawn(program, own, {
    cwd: repository,
    env: { ...gitEnvironment(quarantine), GIT_DIR: repository },
    stdio: 'pipe',
    timeout: deployLimits.gitMs,
    killSignal: 'SIGKILL',
    ...(signal !== undefined && { signal }),
  });
}

/** Resolves when `child` has ended. Rejects with FN_GIT_FAILED when it did not start or was killed. */
export function gitExit(child: ChildProcessWithoutNullStreams): Promise<GitExit> {
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < deployLimits.gitOutputBytes) stderr += text;
  });
  // git may end before it has read all its input; its exit code tells why.
  child.stdin.on('error', () => {});
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(notStarted(cause)));
    child.once('close', (code, killedBy) => {
      if (code !== null) resolve({ code, stderr });
      else
        reject(
          new FnrunError('FN_GIT_FAILED', `git was ended by ${killedBy} (after at most ${deployLimits.gitMs} ms)`),
        );
    });
  });
}

/** Runs git and resolves to its standard output. Rejects with FN_GIT_FAILED unless it exits with 0. */
export async function git(args: readonly string[], options: GitOptions): Promise<string> {
  const result = await gitResult(args, options);
  if (result.code === 0) return result.stdout;
  const said = result.stderr.trim().split('\n')[0] ?? '';
  throw new FnrunError('FN_GIT_FAILED', `git ${args[0]} failed (exit code ${result.code}): ${said}`);
}

/** Runs git and resolves to its output and exit code, whatever the code. */
export async function gitResult(args: readonly string[], options: GitOptions): Promise<GitExit & { stdout: string }> {
  const child = startGit(args, options);
  const exit = gitExit(child);
  child.stdin.end();
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (stdout.length > deployLimits.gitOutputBytes) child.kill('SIGKILL');
  });
  return { ...(await exit), stdout };
}

function notStarted(cause: Error & { code?: string }): FnrunError {
  if (cause.name === 'AbortError') return new FnrunError('FN_GIT_FAILED', 'git was stopped', { cause });
  const why = cause.code === 'ENOENT' ? 'there is no git in PATH' : cause.message;
  return new FnrunError('FN_GIT_FAILED', `Cannot run git: ${why}`, {
    cause,
    hint: 'install git, for example: apt install git',
  });
}
