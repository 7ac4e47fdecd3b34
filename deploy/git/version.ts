import { tmpdir } from 'node:os';
import { git } from './run.ts';

/** git's version, for example `2.39.5`. Rejects with FN_GIT_FAILED when there is no git. */
export async function gitVersion(): Promise<string> {
  const text = await git(['version'], { repository: tmpdir() });
  return /\d+(\.\d+)+/.exec(text)?.[0] ?? text.trim();
}
