import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { hashOf, sha256 } from '../hash.ts';
import { compareText } from '../problem.ts';
import { findAddons } from './addons.ts';

// What npm, pnpm, yarn and yarn 2 write into node_modules at the end of every installation.
const markers = ['.package-lock.json', '.modules.yaml', '.yarn-integrity', '.yarn-state.yml'];

/** What an app's own node_modules holds: a hash that changes with each installation, and its native addons. */
export async function localPackages(
  modulesDir: string,
  cacheDir: string,
): Promise<{ packages: string; addons: string[] }> {
  const texts = await Promise.all(markers.map((name) => readFile(join(modulesDir, name), 'utf8').catch(() => null)));
  const marked = texts.some((text) => text !== null);
  const names = marked ? [] : (await readdir(modulesDir)).toSorted(compareText);
  const changed = marked ? 0 : (await stat(modulesDir)).mtimeMs;
  const packages = hashOf([modulesDir, texts.map((text) => (text === null ? null : sha256(text))), names, changed]);
  const dir = join(cacheDir, 'addons');
  const kept = join(dir, `${packages}.json`);
  const known = await readFile(kept, 'utf8').catch(() => null);
  if (known !== null) return { packages, addons: JSON.parse(known) as string[] };
  const addons = await findAddons(modulesDir);
  await mkdir(dir, { recursive: true });
  const staging = `${kept}.${randomUUID()}`;
  await writeFile(staging, JSON.stringify(addons));
  await rename(staging, kept);
  return { packages, addons };
}
