import { expect, test } from 'vitest';
import { misfits, parseDisks } from '../../../../../deploy/server/steps/base/disk/disks.ts';
import { swapSizeMb } from '../../../../../deploy/server/steps/base/disk/swap-size.ts';

test('a disk with one queue wants mq-deadline, one with several or an NVMe wants none', () => {
  const disks = parseDisks(`nvme0n1 1 none [mq-deadline] kyber
vda 1 [none] mq-deadline
vdb 4 [bfq] mq-deadline none
sda 1 [mq-deadline] none
`);
  expect(misfits(disks).map(({ name, scheduler, wanted }) => [name, scheduler, wanted])).toEqual([
    ['nvme0n1', 'mq-deadline', 'none'],
    ['vda', 'none', 'mq-deadline'],
    ['vdb', 'bfq', 'none'],
  ]);
});

test('a disk whose kernel has no other scheduler, and what is no disk, is left alone', () => {
  expect(misfits(parseDisks('vda 1 [none]\nsr0 1 [none] mq-deadline\nvdb 0 [none] mq-deadline\n'))).toEqual([]);
});

test('swap is as large as a small memory, and nothing where there is some, or room for none', () => {
  const small = { memoryMb: 1_960, swapMb: 0, diskFreeMb: 30_000, filesystem: 'ext2/ext3' };
  expect(swapSizeMb(small)).toBe(2_048);
  expect(swapSizeMb({ ...small, memoryMb: 460 })).toBe(1_024);
  expect(swapSizeMb({ ...small, memoryMb: 1_200, filesystem: 'xfs' })).toBe(1_280);
  expect(swapSizeMb({ ...small, memoryMb: 3_900 })).toBe(0);
  expect(swapSizeMb({ ...small, swapMb: 512 })).toBe(0);
  expect(swapSizeMb({ ...small, diskFreeMb: 5_300 })).toBe(1_280);
  expect(swapSizeMb({ ...small, diskFreeMb: 2_000 })).toBe(0);
  expect(swapSizeMb({ ...small, filesystem: 'btrfs' })).toBe(0);
});
