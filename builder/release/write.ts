import { constants, existsSync, linkSync, mkdirSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, open, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { sha256 } from '../hash.ts';
import { pacer } from '../pace.ts';
import { BuildStop, problem } from '../problem.ts';
import type { Manifest } from '../../runtime/contract/manifest.ts';

/** A file that a release consists of. */
export interface ReleaseFile {
  /** From the release's root. */
  path: string;
  sha256: string;
  /** Where its bytes are now. */
  from: string;
  /** `from` is a file of the cache, never written again: link to it. Else the bytes go into the cache first. */
  immutable: boolean;
}

/** A release to be written. */
export interface ReleasePlan {
  manifest: Manifest;
  files: readonly ReleaseFile[];
  /** What the release's node_modules links to; null: no packages are loaded at run time. */
  modulesDir: string | null;
}

/** Where releases and the cache are. */
export interface ReleasePlaces {
  releasesDir: string;
  cacheDir: string;
  /** Sync all files to the disk before the release gets its name. */
  durable: boolean;
}

/**
 * Writes a release under its id, or finds it there. It is put together in a folder of another
 * name and renamed when whole: `<releasesDir>/<id>` is complete or absent, whatever happens.
 */
export async function writeRelease(
  plan: ReleasePlan,
  places: ReleasePlaces,
): Promise<{ dir: string; manifest: Manifest; reused: boolean }> {
  const dir = join(places.releasesDir, plan.manifest.release);
  const existing = await readManifest(dir);
  if (existing !== null) return { dir, manifest: existing, reused: true };
  await mkdir(places.releasesDir, { recursive: true });
  const staging = await mkdtemp(join(places.releasesDir, '.new-'));
  try {
    const folders = new Set(plan.files.map(({ path }) => dirname(join(staging, path))));
    for (const folder of folders) mkdirSync(folder, { recursive: true });
    const pace = pacer();
    for (const file of plan.files) {
      await pace();
      await place(file, { target: join(staging, file.path), cacheDir: places.cacheDir });
    }
    if (plan.modulesDir !== null) await symlink(plan.modulesDir, join(staging, 'node_modules'));
    await writeFile(join(staging, 'manifest.json'), manifestText(plan.manifest));
    // Made for its owner alone; nginx and the app's user have to read it. Who reaches it, the folders above decide.
    await chmod(staging, 0o755);
    if (places.durable) {
      await Promise.all(
        [...plan.files.map(({ path }) => join(staging, path)), join(staging, 'manifest.json'), ...folders, staging].map(
          sync,
        ),
      );
    }
    await rename(staging, dir);
    if (places.durable) await sync(places.releasesDir);
    return { dir, manifest: plan.manifest, reused: false };
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    // Another build made the same release in the meantime.
    const other = await readManifest(dir);
    if (other !== null) return { dir, manifest: other, reused: true };
    throw error;
  }
}

/** The text of manifest.json: keys in the order of the contract. */
export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

async function readManifest(dir: string): Promise<Manifest | null> {
  try {
    return JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8')) as Manifest;
  } catch {
    return null;
  }
}

async function place(file: ReleaseFile, { target, cacheDir }: { target: string; cacheDir: string }): Promise<void> {
  const from = file.immutable ? file.from : await intern(file, cacheDir);
  try {
    linkSync(from, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // The cache was cleared between the two lines: files of public/ are still there to be read.
    if (code === 'ENOENT' && !file.immutable && existsSync(dirname(target))) {
      await copyFile(file.from, target);
      return;
    }
    // Another file system, one without links, or too many links to one file.
    if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'EMLINK' && code !== 'ENOTSUP') throw error;
    await copyFile(from, target, constants.COPYFILE_FICLONE);
  }
}

/** Where a cache keeps files of public/, in folders of 1/256 each. */
export function publicDir(cacheDir: string): string {
  return join(cacheDir, 'public');
}

/** Keeps a file of public/ by its content, so that it is one file, with one time, in all releases. */
async function intern(file: ReleaseFile, cacheDir: string): Promise<string> {
  const kept = join(publicDir(cacheDir), file.sha256.slice(0, 2), file.sha256);
  if (existsSync(kept)) return kept;
  await mkdir(dirname(kept), { recursive: true });
  const staging = `${kept}.${randomUUID()}`;
  const content = await readFile(file.from);
  if (sha256(content) !== file.sha256) {
    const hint = 'build again when nothing writes to public/';
    throw new BuildStop([
      problem('FN_SOURCE_ENTRY', `${file.path} changed while it was built`, { file: file.path, hint }),
    ]);
  }
  await writeFile(staging, content, { mode: 0o444 });
  await rename(staging, kept);
  return kept;
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
