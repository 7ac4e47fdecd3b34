import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hashOf } from '../hash.ts';
import { pacer } from '../pace.ts';
import type { StampedGraph } from './fingerprint.ts';
import type { GroupRecord } from './group.ts';

/** Changes when records of older versions must not be read. */
const cacheVersion = 3;

/** Where a cache keeps its groups. */
export function groupsDir(cacheDir: string): string {
  return join(cacheDir, `bundles-${cacheVersion}`);
}

/** What the last build knew about the functions. */
export interface BuildState {
  /** Everything but sources that the graphs depend on. */
  base: string;
  /** By entry file. */
  graphs: Record<string, StampedGraph>;
  /** Hashes of functions built before, oldest first. */
  seen: string[];
}

/** Bundles and import graphs kept between builds, on disk. Safe to share between processes. */
export interface BundleCache {
  readState(): Promise<BuildState | null>;
  writeState(state: BuildState): Promise<void>;
  /** The record under `key` and the folder with its files, or null. */
  find(key: string): Promise<{ record: GroupRecord; dir: string } | null>;
  /** Keeps a group under `key`, in place of what may be there; gives the folder with its files. */
  keep(key: string, group: { record: GroupRecord; contents: ReadonlyMap<string, Uint8Array> }): Promise<string>;
}

/** Opens the cache in `cacheDir`, which is made when absent. */
export async function openCache(cacheDir: string): Promise<BundleCache> {
  const base = groupsDir(cacheDir);
  const stateFile = join(base, 'state.json');
  const pace = pacer();
  let lastState = '';
  // Seen to be there and not whole; only these are removed, never what another build is making.
  const damaged = new Set<string>();
  await mkdir(base, { recursive: true });
  return {
    async readState() {
      lastState = await readFile(stateFile, 'utf8').catch(() => '');
      try {
        return JSON.parse(lastState) as BuildState;
      } catch {
        return null;
      }
    },
    async writeState(state) {
      const text = JSON.stringify(state);
      if (text === lastState) return;
      const staging = join(base, `.new-${randomUUID()}`);
      await writeFile(staging, text);
      await rename(staging, stateFile);
    },
    async find(key) {
      await pace();
      const record = readRecord(recordFile(key));
      if (record === null) return null;
      const dir = filesDir(record);
      if (isWhole(record, dir)) return { record, dir };
      damaged.add(dir);
      return null;
    },
    async keep(key, { record, contents }) {
      const dir = filesDir(record);
      if (!isWhole(record, dir)) {
        // Damaged, if it is there: releases have their own links to its files.
        if (damaged.has(dir)) rmSync(dir, { recursive: true, force: true });
        await putFiles(dir, contents);
      }
      const staging = join(base, `.new-${randomUUID()}`);
      writeFileSync(staging, JSON.stringify(record));
      renameSync(staging, recordFile(key));
      return dir;
    },
  };

  function recordFile(key: string): string {
    return join(base, `${key}.json`);
  }

  // Named by content: never changed under the hands of a build that links from it.
  function filesDir(record: GroupRecord): string {
    return join(base, hashOf(record.files));
  }

  async function putFiles(dir: string, contents: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const staging = await mkdtemp(join(base, '.new-'));
    const folders = new Set([...contents.keys()].map((path) => dirname(join(staging, path))));
    for (const folder of folders) mkdirSync(folder, { recursive: true });
    for (const [path, content] of contents) {
      await pace();
      // Releases hard-link these files: nobody may write to them.
      writeFileSync(join(staging, path), content, { mode: 0o444 });
    }
    await settleFiles(staging, dir);
  }
}

// Cached files are not synced: after a power failure one may be there and empty.
function isWhole(record: GroupRecord, dir: string): boolean {
  return record.files.every(({ path, bytes }) => statSync(join(dir, path), { throwIfNoEntry: false })?.size === bytes);
}

/** Gives `staging` the name `dir`, unless another build that made the same was quicker. */
async function settleFiles(staging: string, dir: string): Promise<void> {
  try {
    await rename(staging, dir);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}

function readRecord(path: string): GroupRecord | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as GroupRecord;
  } catch {
    return null;
  }
}
