import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { NginxFile } from '../directive.ts';
import { renderFile } from '../render-config.ts';
import { validateNginx, type Judge, type NginxVerdict } from './validate-nginx.ts';

/** What became of one file. */
export interface InstalledFile {
  name: string;
  /** `refused`: nginx does not take it; what was there before stays. */
  outcome: 'written' | 'unchanged' | 'removed' | 'refused';
  complaints: string[];
}

export interface InstallOptions {
  judge: Judge;
  /** Folder of nginx.conf. */
  dir: string;
  main: NginxFile;
  sites: readonly NginxFile[];
  /** Names of files that stay as they are, though they are not among `sites`. */
  keep?: readonly string[];
  /** A file as it is written; it is judged as it was planned. @default the same */
  place?: (file: NginxFile) => NginxFile;
}

/**
 * Puts a configuration in the place of the one that is there, file by file, each only if nginx takes it: the main part
 * by itself, then each app's with the main part alone. So one app's bad file keeps nobody else's away, and the
 * last good one of that app stays. Nothing is reloaded. A refused main part changes nothing at all.
 */
export async function installFiles({
  dir,
  main,
  sites,
  judge,
  keep = [],
  place = (file) => file,
}: InstallOptions): Promise<InstalledFile[]> {
  const isSame = async (file: NginxFile): Promise<boolean> => renderFile(place(file)) === (await textOf(file, dir));
  const isMainSame = await isSame(main);
  const verdict = await validateNginx([main], judge);
  if (!verdict.ok) return [main, ...sites].map(({ name }) => refused(name, verdict));
  const results: InstalledFile[] = [];
  const good: NginxFile[] = [];
  for (const site of sites) {
    // nginx has taken it before, beside this very main part.
    const alone = isMainSame && (await isSame(site)) ? fine : await validateNginx([main, site], judge);
    if (alone.ok) good.push(site);
    else results.push(refused(site.name, alone));
  }
  const together = await validateNginx([main, ...good], judge);
  if (!together.ok) return [main, ...sites].map(({ name }) => refused(name, together));
  for (const file of [main, ...good]) results.push(await replace(place(file), dir));
  const wanted = new Set([...keep, ...sites.map(({ name }) => name)]);
  for (const name of await siteNames(dir)) {
    if (wanted.has(name)) continue;
    await rm(join(dir, name), { force: true });
    results.push({ name, outcome: 'removed', complaints: [] });
  }
  return results;
}

const fine: NginxVerdict = { ok: true, complaints: [] };

async function textOf({ name }: NginxFile, dir: string): Promise<string | null> {
  return await readFile(join(dir, name), 'utf8').catch(() => null);
}

function refused(name: string, { complaints }: NginxVerdict): InstalledFile {
  return { name, outcome: 'refused', complaints };
}

async function replace(file: NginxFile, dir: string): Promise<InstalledFile> {
  const path = join(dir, file.name);
  const text = renderFile(file);
  if ((await textOf(file, dir)) === text) return { name: file.name, outcome: 'unchanged', complaints: [] };
  await mkdir(dirname(path), { recursive: true });
  // Not *.conf: a reload in between must not read half of it.
  const temporary = `${path}.new`;
  await writeFile(temporary, text, { mode: 0o644, flush: true });
  await rename(temporary, path);
  return { name: file.name, outcome: 'written', complaints: [] };
}

async function siteNames(dir: string): Promise<string[]> {
  const names = await readdir(join(dir, 'fnrun')).catch((): string[] => []);
  return names.filter((name) => name.endsWith('.conf')).map((name) => `fnrun/${name}`);
}
