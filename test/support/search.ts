import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Paths below `dir` of all files that hold one of `texts`, compared byte by byte. */
export async function filesWith(dir: string, texts: readonly string[]): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const found: string[] = [];
  for (const file of files) if (await holds(file, texts)) found.push(file);
  return found;
}

/** What of the command lines and environments of all processes holds one of `texts` (Linux). */
export async function processesWith(texts: readonly string[]): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found: string[] = [];
  for (const pid of pids) {
    for (const file of ['cmdline', 'environ']) {
      // A process that ends meanwhile, or is somebody else's.
      const path = `/proc/${pid}/${file}`;
      if (await holds(path, texts).catch(() => false)) found.push(path);
    }
  }
  return found;
}

async function holds(file: string, texts: readonly string[]): Promise<boolean> {
  const content = await readFile(file);
  return texts.some((text) => content.includes(text));
}
