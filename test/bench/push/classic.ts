import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findNpm } from '../../../builder/dependencies/npm.ts';
import { git } from '../../support/git.ts';
import { freePort, startOwn } from '../server.ts';

/** When the hook installs packages. */
export type InstallPolicy = 'at each push' | 'for a new lockfile';

/** A bare repository whose post-receive hook checks out, installs and restarts. */
export interface Classic extends AsyncDisposable {
  readonly remote: string;
  /** Of its server, with a slash at the end. It runs from the first push on. */
  readonly url: string;
}

/** The server that a repository needs for `startClassic`: it starts from what was checked out. */
export async function copyServer(dir: string): Promise<void> {
  await copyFile(join(import.meta.dirname, '../fixtures/classic/server.js'), join(dir, 'server.js'));
}

/** Sets up the recipe in `folder`. */
export async function startClassic(folder: string, { install }: { install: InstallPolicy }): Promise<Classic> {
  const remote = join(folder, 'repo.git');
  const app = join(folder, 'app');
  await mkdir(app, { recursive: true });
  await git(folder, 'init', '-q', '--bare', remote);
  const unit = await startOwn('classic-unit.ts', [app, String(await freePort())]);
  const hook = join(remote, 'hooks/post-receive');
  await writeFile(hook, hookText({ app, install, unit: unit.pid, npmCache: join(folder, 'npm-cache') }));
  await chmod(hook, 0o755);
  return { remote, url: unit.url, [Symbol.asyncDispose]: () => unit[Symbol.asyncDispose]() };
}

interface HookOptions {
  app: string;
  install: InstallPolicy;
  unit: number;
  npmCache: string;
}

/** The hook as it stands in a hundred tutorials, with the same npm and flags that fnrun's builder has. */
function hookText({ app, install, unit, npmCache }: HookOptions): string {
  const npm = findNpm();
  if (npm === null) throw new Error('there is no npm in PATH');
  const command = [npm.file, ...npm.args].map((word) => `'${word}'`).join(' ');
  const npmCi = `${command} ci --omit=dev --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=warn`;
  const installed = 'node_modules/.installed-lockfile';
  const ifNew = `cmp -s package-lock.json ${installed} || { ${npmCi} && cp package-lock.json ${installed}; }`;
  return `#!/bin/sh
set -e
export npm_config_cache='${npmCache}'
while read -r old new ref; do
  [ "$ref" = refs/heads/main ] || continue
  git --work-tree='${app}' checkout -q -f main
  cd '${app}'
  if [ -f package-lock.json ]; then
    ${install === 'at each push' ? npmCi : ifNew}
  fi
  kill -HUP ${unit} # systemctl restart app
done
`;
}
