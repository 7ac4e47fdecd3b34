import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder that shows an app's sources and its installed packages side by side. */
export interface SourceView {
  root: string;
  /** Removes the view; what it shows is left alone. */
  dispose(): Promise<void>;
}

// Installed packages come from elsewhere; the rest is nothing that can be imported.
const hidden = new Set(['node_modules', '.git', 'public']);

/**
 * Puts the app in `sourceDir` and the packages in `modulesDir` together by symbolic links, in a
 * new folder below `cacheDir`. Names in bundles and maps are then the same wherever the two lie,
 * and nothing is ever written into the sources. Folders above have no say: a tsconfig.json stops the search.
 */
export async function makeView(sourceDir: string, options: { modulesDir: string | null; cacheDir: string }): Promise<SourceView> {
  const base = join(options.cacheDir, 'views');
  await mkdir(base, { recursive: true });
  await writeFile(join(base, 'tsconfig.json'), '{}\n');
  const root = await mkdtemp(join(base, 'view-'));
  const names = (await readdir(sourceDir)).filter((name) => !hidden.has(name));
  const links = names.map((name) => symlink(join(sourceDir, name), join(root, name)));
  if (options.modulesDir !== null) links.push(symlink(options.modulesDir, join(root, 'node_modules')));
  await Promise.all(links);
  return { root, dispose: () => rm(root, { recursive: true, force: true }) };
}
