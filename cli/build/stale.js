// Plain JavaScript: the launcher runs this at every start in a source checkout, and stripping
// types from a file costs more than the check itself.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const sourceFolders = ['cli', 'runtime', 'router', 'builder', 'deploy'];
/** npm writes it when packages change, of which some are bundled. */
const installed = 'node_modules/.package-lock.json';

/**
 * Whether `<root>/dist` is missing or older than a source or a package.
 * @param {string} root folder of the checkout
 * @returns {boolean}
 */
export function isStale(root) {
  const stamp = statSync(join(root, 'dist/.stamp'), { throwIfNoEntry: false });
  if (stamp === undefined) return true;
  if ((statSync(join(root, installed), { throwIfNoEntry: false })?.mtimeMs ?? 0) > stamp.mtimeMs) return true;
  return sourceFolders.some((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).some(
      (entry) =>
        entry.isFile() &&
        /\.[jt]s$/.test(entry.name) &&
        (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.mtimeMs ?? 0) > stamp.mtimeMs,
    ),
  );
}
