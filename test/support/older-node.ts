import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';

const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'];

/** A Node of this machine that is too old to run fnrun itself, or null: the launcher must work with it all the same. */
export const olderNode: string | null = folders.map((folder) => join(folder, 'node')).find(isOlder) ?? null;

function isOlder(path: string): boolean {
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return status === 0 && Number(stdout.slice(1).split('.')[0]) < 26;
}
