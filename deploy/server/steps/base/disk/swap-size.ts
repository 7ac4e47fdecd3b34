import { setupLimits } from '../../../../../runtime/contract/limits.ts';

export interface SwapFacts {
  memoryMb: number;
  swapMb: number;
  /** Free on the disk of `/`. */
  diskFreeMb: number;
  /** Of `/`, as `stat -f` has it. */
  filesystem: string;
}

/**
 * Megabytes of the swap file that a machine needs; 0: none. As much as it has memory, at most a quarter of the free disk. It
 * is for what is hardly ever touched (daemons that wait), so that a moment of need ends in some waiting and not in a process
 * that is killed; it is no memory to work in.
 */
export function swapSizeMb({ memoryMb, swapMb, diskFreeMb, filesystem }: SwapFacts): number {
  const { swapBelowMb, swapMbMin, swapMbMax } = setupLimits;
  // One that is sold as 2 GB says 1,960 or so: it is small as well.
  if (memoryMb >= swapBelowMb || swapMb > 0) return 0;
  // On btrfs a swap file needs a subvolume that is never snapshot, on zfs it deadlocks: left to a person.
  if (filesystem !== 'ext2/ext3' && filesystem !== 'xfs') return 0;
  const asMemory = Math.min(Math.max(Math.ceil(memoryMb / 256) * 256, swapMbMin), swapMbMax);
  const size = Math.min(asMemory, Math.floor(diskFreeMb / 4 / 256) * 256);
  return size < swapMbMin / 2 ? 0 : size;
}
