import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { BuildOptions } from '../../builder/build.ts';

/** The folders of one app that its builds work with. */
export interface BuildPlaces {
  /** Its exported trees, and nothing else. */
  sourcesDir: string;
  releasesDir: string;
  cacheDir: string;
}

/** The places of a build: its sources are one of the trees. */
export function placesOf({ sourceDir, releasesDir, cacheDir }: BuildOptions): BuildPlaces {
  return { sourcesDir: dirname(sourceDir), releasesDir, cacheDir };
}

/** What a jail shows of the file system, besides what every program needs. */
export interface JailView {
  readable: string[];
  writable: string[];
  /** What lies in one of the writable folders and is not shown. */
  hiddenFolders: string[];
  hiddenFiles: string[];
}

/**
 * The view of a build. A release links to files of the cache, which the kernel allows within one mount only:
 * so the folder that holds both is one, and what else lies in it (the repository) is covered.
 */
export function buildView({ sourcesDir, releasesDir, cacheDir }: BuildPlaces): JailView {
  const root = dirname(releasesDir);
  const shown = [sourcesDir, releasesDir, cacheDir];
  if (shown.some((dir) => dirname(dir) !== root)) throw new Error(`${shown.join(', ')} are not in one folder`);
  for (const dir of shown) mkdirSync(dir, { recursive: true });
  const others = readdirSync(root, { withFileTypes: true }).filter(({ name }) => !shown.includes(join(root, name)));
  // A link is covered as what it leads to, and that is not there in the jail.
  const pathsOf = (entries: typeof others): string[] => entries.map(({ name }) => join(root, name));
  return {
    readable: [sourcesDir],
    writable: [root],
    hiddenFolders: pathsOf(others.filter((entry) => entry.isDirectory())),
    hiddenFiles: pathsOf(others.filter((entry) => entry.isFile())),
  };
}

/** The view of npm: the folder that it installs into, and its cache. */
export function npmView(dir: string, { cacheDir }: BuildPlaces): JailView {
  const writable = [dir, npmCacheDir(cacheDir)];
  for (const each of writable) mkdirSync(each, { recursive: true });
  return { readable: [], writable, hiddenFolders: [], hiddenFiles: [] };
}

/** Changes when the folders are made anew, as for another app of the same name: a process has the old ones still. */
export function identityOf({ sourcesDir, releasesDir, cacheDir }: BuildPlaces): string {
  const inodes = [dirname(releasesDir), sourcesDir, cacheDir].map(
    (dir) => statSync(dir, { throwIfNoEntry: false })?.ino,
  );
  return [releasesDir, ...inodes].join(':');
}

/** npm's cache is the app's own: what a script of one app's package wrote into it must reach no other app. */
export function npmCacheDir(cacheDir: string): string {
  return join(cacheDir, 'npm');
}

/** For names of processes and groups. */
export function nameOf({ releasesDir }: BuildPlaces): string {
  return basename(dirname(releasesDir));
}
