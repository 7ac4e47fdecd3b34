import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { deployLimits } from '../../runtime/contract/limits.ts';
import { parseSshUrl, type SshAddress } from './parse-url.ts';

/** A git remote that is an app on a server. */
export interface Remote extends SshAddress {
  /** `fnrun` */
  name: string;
  /** How git would call ssh here; null: `ssh`. */
  sshCommand: string | null;
}

const preferred = 'fnrun';

/**
 * The remote that a command in the checkout `cwd` is meant for: the one `named`, else `fnrun`, else the only other one
 * that fits. Null when there is none. Throws FN_USAGE when the named one cannot be used, or several fit.
 */
export async function findRemote(
  named: string | undefined,
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<Remote | null> {
  const [listed, configured] = await Promise.all([
    git(['remote', '-v'], { cwd, env }),
    git(['config', '--get', 'core.sshCommand'], { cwd, env }),
  ]);
  const remotes = readRemotes(listed);
  const address = choose(remotes, named);
  return address && { ...address, sshCommand: env['GIT_SSH_COMMAND'] || configured.trim() || null };
}

interface Listed {
  name: string;
  url: string;
}

/** `git remote -v`: where pushes go, `insteadOf` done. */
function readRemotes(text: string): Listed[] {
  return text.split('\n').flatMap((line) => {
    const [, name, url] = /^(\S+)\t(.+) \(push\)$/.exec(line) ?? [];
    return name === undefined || url === undefined ? [] : [{ name, url }];
  });
}

function choose(remotes: readonly Listed[], named: string | undefined): (SshAddress & { name: string }) | null {
  const fitting = remotes.flatMap(({ name, url }) => {
    const address = parseSshUrl(url);
    return address === null ? [] : [{ name, ...address }];
  });
  const wanted = fitting.find((one) => one.name === (named ?? preferred));
  if (wanted !== undefined) return wanted;
  if (named !== undefined) throw unusable(named, remotes);
  if (fitting.length < 2) return fitting[0] ?? null;
  throw new FnrunError('FN_USAGE', `Several git remotes could be meant: ${fitting.map((one) => one.name).join(', ')}`, {
    hint: `name one: --remote ${fitting[0]?.name}, or call it ${preferred}`,
  });
}

function unusable(named: string, remotes: readonly Listed[]): FnrunError {
  const url = remotes.find((one) => one.name === named)?.url;
  const why = url === undefined ? `There is no git remote ${named} here` : `The git remote ${named} is no app over ssh`;
  return new FnrunError('FN_USAGE', why, {
    hint: `for example: git remote ${url === undefined ? 'add' : 'set-url'} ${named} ssh://fnrun@your.server/your-app`,
  });
}

/** What git says; nothing when there is no git, no checkout, or no such setting. */
async function git(args: string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Promise<string> {
  try {
    const limits = { timeout: deployLimits.gitMs, maxBuffer: deployLimits.gitOutputBytes };
    return (await promisify(execFile)('git', args, { ...options, ...limits })).stdout;
  } catch {
    return '';
  }
}
