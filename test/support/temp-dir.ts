import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder of a test's own; `await using` removes it at the end of the block. */
export interface TempDir extends AsyncDisposable {
  /** Absolute and free of symbolic links. */
  readonly path: string;
  readonly remove: () => Promise<void>;
}

/** Makes an empty folder. The name is short: unix socket paths below it have 107 bytes. */
export async function makeTempDir(prefix = 'fnrun-'): Promise<TempDir> {
  const path = await realpath(await mkdtemp(join(tmpdir(), prefix)));
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  return { path, remove, [Symbol.asyncDispose]: remove };
}

/** Writes `files` (path from `dir` → content), with the folders they need. */
export async function writeTree(dir: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(dir, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}
