import { readdirSync, realpathSync, unlinkSync } from 'node:fs';
import { join, sep } from 'node:path';
import { pacer } from '../pace.ts';

/**
 * Removes symbolic links below `modulesDir` that lead out of it. Archives of packages hold none; their
 * install scripts make some (node-gyp one to Python), and an import must not follow them out of the app.
 */
export async function removeLeavingLinks(modulesDir: string): Promise<void> {
  const root = realpathSync.native(modulesDir);
  const pace = pacer();
  const folders = [root];
  for (const folder of folders) {
    await pace();
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isSymbolicLink() && !leadsInto(root, path)) unlinkSync(path);
    }
  }
}

function leadsInto(root: string, path: string): boolean {
  try {
    return realpathSync.native(path).startsWith(root + sep);
  } catch {
    // To nothing: in a jail, that may be something outside of it.
    return false;
  }
}
