import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** What a new or local app is called when its folder's name has nothing to offer. */
const fallback = 'app';

/**
 * The name of the app in `dir`: `name` in its fnrun.json, else its folder's name, made to fit the
 * rule for app names (lower-case letters, digits and single dashes, a letter first, at most 40).
 */
export function localAppName(dir: string): string {
  const named = nameInConfig(join(dir, 'fnrun.json')) ?? basename(dir);
  const fitting = named
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 40)
    .replace(/-$/, '');
  return fitting === '' ? fallback : fitting;
}

/** The builder judges the file; here anything unreadable just names nothing. */
function nameInConfig(path: string): string | null {
  try {
    const { name } = JSON.parse(readFileSync(path, 'utf8')) as { name?: unknown };
    return typeof name === 'string' ? name : null;
  } catch {
    return null;
  }
}
