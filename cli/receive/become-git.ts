import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { FnrunError } from '../../runtime/contract/errors.ts';
import type { GitService } from '../../router/control/key-types.ts';

/** What git is started for. */
export interface GitStart {
  service: GitService;
  /** Absolute path. */
  repository: string;
  /** Id of the key: the hooks tell the server. */
  key: string;
  /** This process's own environment. */
  env: NodeJS.ProcessEnv;
}

/** Turns this process into git, which then has ssh's streams for itself. Does not return. */
export function becomeGit({ service, repository, key, env }: GitStart): never {
  const git = findGit(env['PATH'] ?? '');
  const args = ['git', service, ...(service === 'upload-pack' ? ['--strict'] : []), repository];
  process.execve!(git, args, gitEnvironment({ key, env }));
  throw new FnrunError('FN_GIT_FAILED', `Cannot start ${git}`);
}

/** All that git gets: nothing that ssh's other end may have set, but for the version of git's protocol. */
export function gitEnvironment({ key, env }: { key: string; env: NodeJS.ProcessEnv }): Record<string, string> {
  const protocol = env['GIT_PROTOCOL'] ?? '';
  return {
    PATH: env['PATH'] ?? '',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    FNRUN_KEY: key,
    ...(/^version=[0-2]$/.test(protocol) && { GIT_PROTOCOL: protocol }),
  };
}

function findGit(path: string): string {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, 'git');
    // A relative folder would be one of whatever ssh started in.
    if (isAbsolute(folder) && isExecutable(file)) return file;
  }
  throw new FnrunError('FN_GIT_FAILED', 'There is no git in PATH', {
    hint: 'install git, for example: apt install git',
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
