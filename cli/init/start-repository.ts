import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Local git on a small folder; a machine where it takes longer is asking for something. */
const gitMs = 10_000;

/**
 * Makes `dir` a git repository with a first commit, as far as this machine can: without git, inside
 * another repository, or without a name to commit as, it does less. Resolves to what was done.
 */
export async function startRepository(dir: string, { env }: { env: NodeJS.ProcessEnv }): Promise<string> {
  const git = async (...args: string[]): Promise<string | null> => {
    try {
      const { stdout } = await run('git', args, {
        cwd: dir,
        env: { ...env, GIT_TERMINAL_PROMPT: '0' },
        timeout: gitMs,
      });
      return stdout.trim();
    } catch {
      return null;
    }
  };
  if ((await git('--version')) === null) return 'without a git repository: git is not installed';
  const prefix = await git('rev-parse', '--show-prefix');
  if (prefix !== null && prefix !== '') {
    return 'part of the git repository around it; to push it, make it one of its own: git init';
  }
  if (prefix === null && (await git('init', '--quiet', '--initial-branch=main')) === null) {
    return 'without a git repository: git init failed';
  }
  const hasIdentity = env['GIT_AUTHOR_EMAIL'] !== undefined || (await git('config', 'user.email')) !== null;
  if (!hasIdentity) return 'git repository without a commit: git does not know your name yet';
  await git('add', '--all');
  // A first commit must not stop at a key's passphrase or at a hook of the machine.
  const commit = ['-c', 'commit.gpgSign=false', 'commit', '--quiet', '--no-verify', '--message', 'New fnrun app'];
  return (await git(...commit)) === null ? 'git repository without a commit' : 'git repository with a first commit';
}
