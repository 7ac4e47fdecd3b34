import { statSync } from 'node:fs';
import { FnrunError } from '../runtime/contract/errors.ts';

/** Throws FN_USAGE unless `dir` is a folder. */
export function requireFolder(dir: string): void {
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new FnrunError('FN_USAGE', `${dir} is no folder`, { hint: 'make an app with: fnrun init' });
}
