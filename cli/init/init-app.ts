import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { packageRoot } from '../../runtime/entry-points.ts';
import { localAppName } from '../app-name.ts';
import { startRepository } from './start-repository.ts';
import { templates } from './templates.ts';

/** What `fnrun init` made. */
export interface InitResult {
  name: string;
  /** What happened about git, in a few words. */
  git: string;
}

/** Writes a new app into `dir`, which is made when absent. Throws FN_NOT_EMPTY when it holds anything. */
export async function initApp(dir: string, options: { env: NodeJS.ProcessEnv }): Promise<InitResult> {
  await mkdirEmpty(dir);
  const name = localAppName(dir);
  const handlerTypes = await readFile(join(packageRoot(), 'dist/types.d.ts'), 'utf8');
  const schema = await readFile(join(packageRoot(), 'docs/fnrun.schema.json'), 'utf8');
  for (const [path, text] of Object.entries(templates({ name, handlerTypes, schema }))) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text, { flag: 'wx' });
  }
  return { name, git: await startRepository(dir, options) };
}

const hint = 'name a new folder: fnrun init NAME';

async function mkdirEmpty(dir: string): Promise<void> {
  let entries;
  try {
    await mkdir(dir, { recursive: true });
    entries = await readdir(dir);
  } catch (error) {
    if (!existsSync(dir)) throw error;
    throw new FnrunError('FN_NOT_EMPTY', `Cannot make an app in ${dir}: it is no folder`, { cause: error, hint });
  }
  // A repository that was just made or cloned is as good as empty.
  const [first] = entries.filter((entry) => entry !== '.git');
  if (first === undefined) return;
  throw new FnrunError('FN_NOT_EMPTY', `Cannot make an app in ${dir}: it is not empty (${first} is in it)`, { hint });
}
