import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { checkEnv } from '../runtime/contract/env.ts';
import { FnrunError } from '../runtime/contract/errors.ts';

/** Name of the file that holds a local app's environment. */
export const envFileName = '.env';

/** The variables in `<dir>/.env`; none when there is no such file. Rejects with FN_BAD_ENV for what a server would not take. */
export async function readEnv(dir: string): Promise<Record<string, string>> {
  let text;
  try {
    text = await readFile(join(dir, envFileName), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
  const env = Object.fromEntries(Object.entries(parseEnv(text)).map(([name, value]) => [name, value ?? '']));
  try {
    checkEnv(env);
  } catch (error) {
    if (!(error instanceof FnrunError) || error.hint === null) throw error;
    throw new FnrunError(error.code, `${envFileName}: ${error.message}`, { hint: error.hint });
  }
  return env;
}
