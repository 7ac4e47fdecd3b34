import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeLocalFolder } from '../local-folder.ts';
import { isRunning } from '../is-running.ts';

/** Folders that local builds of one app use, below `<app>/.fnrun`. */
export interface Workspace {
  /** What builds leave behind for the next one. */
  cacheDir: string;
  /** Releases of this process; removed by `close`. */
  releasesDir: string;
  close(): Promise<void>;
}

/** Makes the folders for `fnrun dev` in `dir`, and removes those of processes that ended without doing so. */
export async function openWorkspace(dir: string): Promise<Workspace> {
  const root = await makeLocalFolder(dir);
  const sessions = join(root, 'dev');
  const own = join(sessions, String(process.pid));
  await mkdir(own, { recursive: true });
  const left = (await readdir(sessions)).filter((name) => !isRunning(Number(name)));
  await Promise.all(left.map((name) => rm(join(sessions, name), { recursive: true, force: true })));
  return {
    cacheDir: join(root, 'cache'),
    releasesDir: own,
    close: () => rm(own, { recursive: true, force: true, maxRetries: 3 }),
  };
}
