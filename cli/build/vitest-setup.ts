import { join } from 'node:path';
import { bundleDist } from './bundle.ts';
import { isStale } from './stale.js';

/** Builds dist/ once before the tests: app hosts and workers start from it even when the sources are tested. */
export default async function setup(): Promise<void> {
  const root = join(import.meta.dirname, '../..');
  if (isStale(root)) await bundleDist(root);
}
