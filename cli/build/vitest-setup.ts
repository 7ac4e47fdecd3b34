import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isStale } from './stale.js';

/**
 * Builds dist/ once before the tests: app hosts and workers start from it even when the sources are tested. In a
 * process of its own, the launcher's: vitest runs modules in a way that knows no `import.meta.resolve`.
 */
export default async function setup(): Promise<void> {
  const root = join(import.meta.dirname, '../..');
  if (isStale(root)) await promisify(execFile)(process.execPath, [join(root, 'cli/fnrun.js'), '--version']);
}
