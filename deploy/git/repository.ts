import { chmod, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildLimits, deployLimits } from '../../runtime/contract/limits.ts';
import { git } from './run.ts';

/** What the hooks of a repository need to reach the daemon. All paths are absolute. */
export interface HookProgram {
  /** The Node that runs the hook. */
  node: string;
  /** The hook client, `dist/deploy/hook.js`. */
  script: string;
  controlSocket: string;
}

const hookNames = ['pre-receive', 'post-receive'] as const;

/** Makes the bare repository that an app is pushed to. */
export async function createRepository(repository: string): Promise<void> {
  await mkdir(repository, { recursive: true });
  // An empty template: no sample hooks, and nothing that the machine's administrator put into git's own.
  await git(['init', '--quiet', '--bare', '--template=', '--initial-branch=main', repository], { repository });
}

/** Writes configuration and hooks of an app's repository; done at every start, since Node or fnrun may have moved. */
export async function refreshRepository(
  repository: string,
  options: { app: string; hook: HookProgram },
): Promise<void> {
  const hooks = join(repository, 'hooks');
  await mkdir(hooks, { recursive: true });
  await Promise.all([
    replaceFile(join(repository, 'config'), { text: renderConfig(), mode: 0o644 }),
    ...hookNames.map((name) => replaceFile(join(hooks, name), { text: renderHook(name, options), mode: 0o755 })),
  ]);
}

/** Removes what killed pushes have left behind. */
export async function sweepQuarantine(repository: string): Promise<void> {
  const objects = join(repository, 'objects');
  const names = await readdir(objects).catch(() => []);
  const left = names.filter((name) => name.startsWith('tmp_objdir-incoming-'));
  for (const name of left) {
    const path = join(objects, name);
    const found = await stat(path).catch(() => null);
    // A push that goes on while the daemon is restarted keeps its folder.
    if (found !== null && Date.now() - found.mtimeMs > deployLimits.quarantineMs)
      await rm(path, { recursive: true, force: true });
  }
}

/** The repository's whole configuration. */
export function renderConfig(): string {
  return `# Written by fnrun; rewritten when the server starts.
[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
	# Set here, so that a hooksPath in the configuration of whoever pushes cannot switch the hooks off.
	hooksPath = hooks
	# What no build takes is never held in memory as a whole, however small it comes packed.
	bigFileThreshold = ${buildLimits.sourceFileBytes}
[receive]
	fsckObjects = true
	maxInputSize = ${deployLimits.pushBytes}
	keepAlive = 5
	# The pre-receive hook decides, and says why.
	denyDeletes = false
	denyNonFastForwards = false
	# The daemon runs gc after activations, not while a pusher waits.
	autogc = false
[gc]
	autoDetach = false
`;
}

/** A hook: a few lines of sh that become the hook client. */
export function renderHook(name: (typeof hookNames)[number], options: { app: string; hook: HookProgram }): string {
  const { app, hook } = options;
  const gone = `fnrun: ${hook.script} is gone: start "fnrun serve" again (it rewrites this hook), then push again`;
  return `#!/bin/sh
# Written by fnrun; rewritten when the server starts.
if [ ! -x ${quote(hook.node)} ] || [ ! -f ${quote(hook.script)} ]; then
  echo ${quote(gone)} >&2
  exit 1
fi
unset NODE_OPTIONS
exec ${[hook.node, hook.script, name, hook.controlSocket, app].map(quote).join(' ')}
`;
}

/** `text` as one word of sh. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

async function replaceFile(path: string, { text, mode }: { text: string; mode: number }): Promise<void> {
  const temporary = `${path}.${process.pid}.new`;
  await writeFile(temporary, text, { mode });
  await chmod(temporary, mode);
  await rename(temporary, path);
}
