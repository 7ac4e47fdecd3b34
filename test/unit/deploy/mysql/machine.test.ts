import { mkdir, readdir, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { measureDisk } from '../../../../deploy/mysql/machine/measure-disk.ts';
import { diskKind, parseScheduler, readDisk } from '../../../../deploy/mysql/machine/read-disk.ts';
import { makeTempDir, writeTree } from '../../../support/temp-dir.ts';

test('the disk of a partition on LVM is found through its links in /sys', async () => {
  await using folder = await makeTempDir();
  const sys = join(folder.path, 'sys');
  const disk = 'devices/pci/nvme0n1';
  await writeTree(sys, {
    [`${disk}/queue/rotational`]: '0\n',
    [`${disk}/queue/scheduler`]: '[none] mq-deadline kyber\n',
    [`${disk}/mq/0/cpu_list`]: '0',
    [`${disk}/mq/1/cpu_list`]: '1',
    [`${disk}/nvme0n1p2/partition`]: '2\n',
    'devices/virtual/dm-0/slaves/.keep': '',
  });
  await symlink(join(sys, disk, 'nvme0n1p2'), join(sys, 'devices/virtual/dm-0/slaves/nvme0n1p2'));
  await mkdir(join(sys, 'dev/block'), { recursive: true });
  const { dev } = await stat(folder.path);
  await symlink(join(sys, 'devices/virtual/dm-0'), join(sys, 'dev/block', `${dev >> 8}:${dev & 0xff}`));
  // As in /sys, where slaves/ holds links to devices only.
  await rm(join(sys, 'devices/virtual/dm-0/slaves/.keep'));

  expect(await readDisk(join(folder.path, 'not/yet/there'), { sys })).toEqual({
    kind: 'nvme',
    name: 'nvme0n1',
    rotational: false,
    scheduler: 'none',
    queues: 2,
  });
});

test('a folder on no disk of its own has an unknown one', async () => {
  await using folder = await makeTempDir();
  expect(await readDisk(folder.path, { sys: folder.path })).toMatchObject({ kind: 'unknown', name: null });
});

test('a disk is told by its name before what it says of itself', () => {
  expect(diskKind({ name: 'vda', rotational: true })).toBe('virtual');
  expect(diskKind({ name: 'sda', rotational: true })).toBe('hdd');
  expect(diskKind({ name: 'sda', rotational: false })).toBe('ssd');
  expect(parseScheduler('none [mq-deadline] kyber bfq')).toBe('mq-deadline');
  expect(parseScheduler('none\n')).toBe('none');
});

test('measuring ends at its bytes and leaves nothing behind', async () => {
  await using folder = await makeTempDir();
  const { writes, writesPerSecond, ms } = await measureDisk(folder.path, { bytesMax: 9 * 2 ** 20, forMs: 60_000 });
  // 8 MiB are written before it counts.
  expect(writes).toBe(64);
  expect(writesPerSecond).toBeCloseTo(64_000 / ms, 3);
  expect(await readdir(folder.path)).toEqual([]);
});

test('measuring ends at its time', async () => {
  await using folder = await makeTempDir();
  let now = 0;
  const result = await measureDisk(folder.path, { nowMs: () => (now += 500) });
  expect(result).toEqual({ writes: 4, ms: 2000, writesPerSecond: 2 });
});
