import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

/** Name of the file that holds a local app's environment. */
export const envFileName = '.env';

/** The variables in `<dir>/.env`; none when there is no such file. */
export async function readEnv(dir: string): Promise<Record<string, string>> {
  let text;
  try {
    text = await readFile(join(dir, envFileName), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
  return Object.fromEntries(Object.entries(parseEnv(text)).map(([name, value]) => [name, value ?? '']));
}
