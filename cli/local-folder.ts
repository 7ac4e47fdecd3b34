import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Makes `<dir>/.fnrun`, where local builds of the app in `dir` keep their files, and resolves to its path. */
export async function makeLocalFolder(dir: string): Promise<string> {
  const folder = join(dir, '.fnrun');
  await mkdir(folder, { recursive: true });
  // Whatever the app's own .gitignore says, nothing in here is for git.
  await writeFile(join(folder, '.gitignore'), '*\n');
  return folder;
}
