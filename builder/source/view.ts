import { readdirSync, realpathSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { buildLimits } from '../../runtime/contract/limits.ts';
import { pacer } from '../pace.ts';

/** A folder that shows an app's sources and its installed packages side by side. */
export interface SourceView {
  root: string;
  /** Symbolic links of the app that lead out of it, from the root. */
  escapes: string[];
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
export async function makeView(
  sourceDir: string,
  options: { modulesDir: string | null; cacheDir: string },
): Promise<SourceView> {
  const base = join(options.cacheDir, 'views');
  await mkdir(base, { recursive: true });
  const dir = await mkdtemp(join(base, 'view-'));
  await writeFile(join(dir, 'tsconfig.json'), '{}\n');
  const root = join(dir, 'app');
  await mkdir(root);
  // The cache may lie in the app (.fnrun/): a view must not show itself.
  const above = (name: string): boolean => `${options.cacheDir}/`.startsWith(`${join(sourceDir, name)}/`);
  const names = (await readdir(sourceDir)).filter((name) => !hidden.has(name) && !above(name));
  const links = names.map((name) => symlink(join(sourceDir, name), join(root, name)));
  if (options.modulesDir !== null) links.push(symlink(options.modulesDir, join(root, 'node_modules')));
  await Promise.all(links);
  return {
    root,
    escapes: await findEscapes(sourceDir, names),
    dispose: () => rm(dir, { recursive: true, force: true }),
  };
}

/** Links are looked for in the folders of sources only, and in no more than a build accepts. */
async function findEscapes(sourceDir: string, names: readonly string[]): Promise<string[]> {
  const escapes: string[] = [];
  const pace = pacer();
  const folders: string[] = [];
  let seen = 0;
  const look = (path: string, isLink: boolean): void => {
    if (isLink && !leadsInside(sourceDir, path)) escapes.push(path);
  };
  for (const entry of readdirSync(sourceDir, { withFileTypes: true })) {
    if (!names.includes(entry.name)) continue;
    look(entry.name, entry.isSymbolicLink());
    if (entry.isDirectory()) folders.push(entry.name);
  }
  for (const folder of folders) {
    await pace();
    for (const entry of readdirSync(join(sourceDir, folder), { withFileTypes: true })) {
      if (++seen > buildLimits.sourceFiles) return escapes;
      const path = `${folder}/${entry.name}`;
      look(path, entry.isSymbolicLink());
      if (entry.isDirectory() && entry.name !== 'node_modules') folders.push(path);
    }
  }
  return escapes;
}

function leadsInside(sourceDir: string, path: string): boolean {
  try {
    return realpathSync.native(join(sourceDir, path)).startsWith(sourceDir + sep);
  } catch {
    return false;
  }
}
