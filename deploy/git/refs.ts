import { mkdirSync, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { deployLimits } from '../../runtime/contract/limits.ts';
import { git, gitResult, type Quarantine } from './run.ts';

/** git's way to say that a ref does not exist: zeros, as many as a hash has digits. */
export function isZero(id: string): boolean {
  return /^0+$/.test(id);
}

/** The first digits of a hash, as people read them. */
export function short(id: string): string {
  return id.slice(0, 7);
}

/** The commit of one ref, or null. Reads the loose ref or packed-refs itself: no process is started. */
export async function readRef(repository: string, ref: string): Promise<string | null> {
  const loose = await readText(join(repository, ref));
  if (loose !== null) return /^[0-9a-f]{40,64}$/.exec(loose.trim())?.[0] ?? null;
  const packed = (await readText(join(repository, 'packed-refs'))) ?? '';
  const line = packed.split('\n').find((entry) => entry.endsWith(` ${ref}`));
  return line === undefined ? null : (line.split(' ', 1)[0] ?? null);
}

/** Whether `ancestor` is in the history of `commit`. */
export async function isAncestor(
  ancestor: string,
  commit: string,
  options: { repository: string; quarantine: Quarantine | null },
): Promise<boolean> {
  const { code, stderr } = await gitResult(['merge-base', '--is-ancestor', ancestor, commit], options);
  if (code > 1) throw new Error(`git merge-base failed: ${stderr.trim()}`);
  return code === 0;
}

/** Points HEAD at the production branch, so that a clone of the repository checks it out. */
export async function pointHead(repository: string, ref: string): Promise<void> {
  const head = await readText(join(repository, 'HEAD'));
  if (head?.trim() !== `ref: ${ref}`) await git(['symbolic-ref', 'HEAD', ref], { repository });
}

/**
 * Resolves to true as soon as `ref` is at `commit`, to false when it is not after
 * `deployLimits.refMoveMs` or when `signal` aborts.
 */
export function refMoved(
  repository: string,
  options: { ref: string; commit: string; signal: AbortSignal },
): Promise<boolean> {
  const { ref, commit, signal } = options;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const look = (): void => {
    readRef(repository, ref).then(
      (at) => at === commit && resolve(true),
      () => {},
    );
  };
  // git writes <ref>.lock and renames it: that rename is the moment the push counts.
  // A branch like release/live has a folder of its own, which may not be there yet, or not any more.
  const folder = dirname(join(repository, ref));
  mkdirSync(folder, { recursive: true });
  const watcher = watch(folder, { persistent: false }, look);
  watcher.on('error', () => {});
  const poll = setInterval(look, deployLimits.refPollMs);
  const giveUp = (): void => resolve(false);
  const deadline = setTimeout(giveUp, deployLimits.refMoveMs);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  look();
  return promise.finally(() => {
    watcher.close();
    clearInterval(poll);
    clearTimeout(deadline);
    signal.removeEventListener('abort', giveUp);
  });
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'EISDIR', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}
