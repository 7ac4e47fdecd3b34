import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pacer } from '../pace.ts';
import type { StampedGraph } from './fingerprint.ts';
import type { GroupRecord } from './group.ts';

/** Changes when records of older versions must not be read. */
const cacheVersion = 1;

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
      const dir = join(base, key);
      const record = readRecord(join(dir, 'record.json'));
      return record !== null && isWhole(record, dir) ? { record, dir: join(dir, 'files') } : null;
    },
    async keep(key, { record, contents }) {
      const staging = await mkdtemp(join(base, '.new-'));
      const files = join(staging, 'files');
      const folders = new Set([...contents.keys()].map((path) => dirname(join(files, path))));
      for (const folder of folders) mkdirSync(folder, { recursive: true });
      for (const [path, content] of contents) {
        await pace();
        // Releases hard-link these files: nobody may write to them.
        writeFileSync(join(files, path), content, { mode: 0o444 });
      }
      writeFileSync(join(staging, 'record.json'), JSON.stringify(record));
      await replace(staging, join(base, key));
      return join(base, key, 'files');
    },
  };
}

// Cached files are not synced: after a power failure one may be there and empty.
function isWhole(record: GroupRecord, dir: string): boolean {
  return record.files.every(
    ({ path, bytes }) => statSync(join(dir, 'files', path), { throwIfNoEntry: false })?.size === bytes,
  );
}

async function replace(staging: string, target: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await rename(staging, target);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if ((code !== 'ENOTEMPTY' && code !== 'EEXIST') || attempt === 3) throw error;
      // Another build may be linking from it: moved aside, its open files and links stay whole.
      const aside = `${staging}-old`;
      await rename(target, aside).catch(() => {});
      await rm(aside, { recursive: true, force: true });
    }
  }
}

function readRecord(path: string): GroupRecord | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as GroupRecord;
  } catch {
    return null;
  }
}
