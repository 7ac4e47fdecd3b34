import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { DiskFacts, DiskKind } from '../facts.ts';

const unknown: DiskFacts = { kind: 'unknown', name: null, rotational: null, scheduler: null, queues: null };

/** The disk below `path`, or below the nearest folder above it that is there, as /sys tells it. */
export async function readDisk(path: string, { sys = '/sys' }: { sys?: string } = {}): Promise<DiskFacts> {
  const device = await deviceOf(path);
  try {
    return await readBlock(await wholeDisk(join(sys, 'dev/block', device)));
  } catch {
    // No block device of its own (tmpfs, overlay, network), or no Linux.
    return unknown;
  }
}

/** What the kernel's figures say a disk is. */
export function diskKind({ name, rotational }: { name: string; rotational: boolean | null }): DiskKind {
  if (name.startsWith('nvme')) return 'nvme';
  if (/^(vd|xvd)/.test(name)) return 'virtual';
  if (rotational === null) return 'unknown';
  return rotational ? 'hdd' : 'ssd';
}

/** The bracketed one of `none [mq-deadline] kyber`. */
export function parseScheduler(text: string): string | null {
  return /\[([^\]]+)\]/.exec(text)?.[1] ?? (/^\w[\w-]*$/.test(text.trim()) ? text.trim() : null);
}

async function deviceOf(path: string): Promise<string> {
  try {
    const { dev } = await stat(path, { bigint: true });
    // Linux's layout of dev_t.
    const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
    const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
    return `${major}:${minor}`;
  } catch (error) {
    const above = dirname(path);
    if (above === path) throw error;
    return await deviceOf(above);
  }
}

/** From a partition to its disk, and from LVM, dm-crypt or RAID to the first disk that it is made of. */
async function wholeDisk(link: string): Promise<string> {
  let folder = await realpath(link);
  for (let depth = 0; depth < 8; depth++) {
    const names = await readdir(folder);
    if (names.includes('partition')) folder = dirname(folder);
    else {
      const [below] = await readdir(join(folder, 'slaves')).catch((): string[] => []);
      if (below === undefined) return folder;
      folder = await realpath(join(folder, 'slaves', below));
    }
  }
  return folder;
}

async function readBlock(folder: string): Promise<DiskFacts> {
  const read = async (file: string): Promise<string | null> =>
    await readFile(join(folder, file), 'utf8').catch(() => null);
  const name = basename(folder);
  const rotates = await read('queue/rotational');
  const rotational = rotates === null ? null : rotates.trim() === '1';
  const queues = (await readdir(join(folder, 'mq')).catch((): string[] => [])).length;
  return {
    kind: diskKind({ name, rotational }),
    name,
    rotational,
    scheduler: parseScheduler((await read('queue/scheduler')) ?? ''),
    queues: queues === 0 ? null : queues,
  };
}
