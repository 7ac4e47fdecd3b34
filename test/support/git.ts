import { spawn } from 'node:child_process';

/** What a finished git left. */
export interface GitResult {
  code: number | null;
  /** Standard output and standard error together, as a person sees them. */
  output: string;
  stdout: string;
}

/** Runs git in `cwd` with an identity of its own and without the machine's configuration. Never rejects on exit codes. */
export function tryGit(
  cwd: string,
  args: readonly string[],
  env: Record<string, string> = {},
  wrap: readonly string[] = [],
): Promise<GitResult> {
  const { PATH = '', HOME = '' } = process.env;
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.invalid', '-c', 'init.defaultBranch=main'];
  const [program = '', ...rest] = [...wrap, 'git', '-C', cwd, ...identity, ...args];
  const child = spawn(program, rest, {
    cwd,
    env: {
      PATH,
      HOME,
      LC_ALL: 'C',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (output += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output, stdout }));
  });
}

/** Runs git and rejects with what it said unless it exits with 0; resolves with its trimmed standard output. */
export async function git(cwd: string, ...args: string[]): Promise<string> {
  const result = await tryGit(cwd, args);
  if (result.code !== 0) throw new Error(`git ${args.join(' ')} ended with ${result.code}:\n${result.output}`);
  return result.stdout.trim();
}

/** Makes `dir` a repository on branch main. */
export async function initRepository(dir: string): Promise<void> {
  await git(dir, 'init', '-q', '-b', 'main');
}

/** Commits everything in `dir`; resolves with the commit's id. */
export async function commitAll(dir: string, message: string): Promise<string> {
  await git(dir, 'add', '-A');
  await git(dir, 'commit', '-q', '--allow-empty', '-m', message);
  return git(dir, 'rev-parse', 'HEAD');
}
