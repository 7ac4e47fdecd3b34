import { databaseServerLimits as limits } from '../../../runtime/contract/limits.ts';
import { engineNames } from '../engine.ts';
import { isAtLeast } from '../../versions.ts';
import type { DatabaseFacts, DiskKind } from '../facts.ts';
import { clamp, type LeftOut, type Section, type Setting } from '../setting.ts';
import { isKnown } from '../variables.ts';

/** How fast pages go to the disk, and by which way. */
export function diskSection(facts: DatabaseFacts): Section {
  const method = flushMethod(facts);
  const threads = 'the 2013 advice of 8; ' + ioThreads(facts);
  return {
    title: 'Disk',
    settings: [...ioCapacity(facts), flushNeighbors(facts), ...method.settings],
    leftOut: [
      ...method.leftOut,
      { name: 'innodb_read_io_threads', reason: threads },
      { name: 'innodb_write_io_threads', reason: threads },
    ],
  };
}

/** Without a measurement: low, as too much makes the server flush what would have been changed again. */
const assumed: Readonly<Record<DiskKind, number>> = { hdd: 200, unknown: 200, virtual: 400, ssd: 1000, nvme: 2000 };

/** Pages a second that the server writes in the background. */
export function ioCapacityOf({
  syncedWritesPerSecond,
  disk,
}: Pick<DatabaseFacts, 'syncedWritesPerSecond' | 'disk'>): number {
  if (syncedWritesPerSecond === null) return assumed[disk.kind];
  const { ioCapacityMin: min, ioCapacityMax: max } = limits;
  // To tens: two measurements differ by more.
  return clamp(Math.round((syncedWritesPerSecond * 0.25) / 10) * 10, { min, max });
}

function ioCapacity(facts: DatabaseFacts): Setting[] {
  const { syncedWritesPerSecond, disk, engine, version } = facts;
  const capacity = ioCapacityOf(facts);
  const { ioCapacityMin, ioCapacityMax } = limits;
  const basis =
    syncedWritesPerSecond === null
      ? `not measured: a careful figure for ${describe(disk.kind)}`
      : `a quarter of ${Math.round(syncedWritesPerSecond)} synced writes of 16 KiB a second, within ${ioCapacityMin} to ${ioCapacityMax}: the rest is for commits and reads`;
  const usual = engine === 'mariadb' ? 200 : isAtLeast(version, '8.4') ? 10_000 : 200;
  return [
    {
      name: 'innodb_io_capacity',
      value: capacity,
      reason: `${basis} (the default is ${usual} whatever the disk)`,
      dynamic: true,
    },
    {
      name: 'innodb_io_capacity_max',
      value: capacity * 2,
      reason: 'twice that, when changed pages or the redo log pile up',
      dynamic: true,
    },
  ];
}

function describe(kind: DiskKind): string {
  if (kind === 'hdd') return 'a disk that rotates';
  if (kind === 'virtual') return 'a virtual disk';
  return kind === 'unknown' ? 'a disk that nothing is known of' : `an ${kind === 'ssd' ? 'SSD' : 'NVMe disk'}`;
}

function flushNeighbors({ disk, engine }: DatabaseFacts): Setting {
  const rotates = disk.kind === 'hdd';
  const told =
    disk.kind === 'virtual' && disk.rotational === true
      ? `; ${disk.name ?? 'the disk'} says it rotates, as virtual disks often do`
      : '';
  return {
    name: 'innodb_flush_neighbors',
    value: rotates ? 1 : 0,
    reason: rotates
      ? 'writing the changed pages beside one another saves moves of the head'
      : `a page's neighbours cost as much as any other page where no head moves (${engine === 'mariadb' ? "MariaDB's default is 1" : 'as is the default since 8.0'})${told}`,
    dynamic: true,
  };
}

function flushMethod(facts: DatabaseFacts): { settings: Setting[]; leftOut: LeftOut[] } {
  const { engine, version } = facts;
  const name = 'innodb_flush_method';
  const isDefault = engine === 'mariadb' ? isAtLeast(version, '10.6') : isAtLeast(version, '8.4');
  if (!isKnown(name, facts)) {
    return {
      settings: [],
      leftOut: [{ name, reason: 'deprecated since MariaDB 11.0, which opens data files with O_DIRECT by itself' }],
    };
  }
  if (isDefault) {
    const since = engine === 'mariadb' ? '10.6' : '8.4';
    return {
      settings: [],
      leftOut: [{ name, reason: `O_DIRECT is the default since ${engineNames[engine]} ${since}` }],
    };
  }
  const reason = 'pages are in the buffer pool already: a second copy in the page cache would take memory for nothing';
  return { settings: [{ name, value: 'O_DIRECT', reason, dynamic: false }], leftOut: [] };
}

function ioThreads({ engine, version }: DatabaseFacts): string {
  if (engine === 'mariadb') return 'MariaDB has 4 and 4, with asynchronous I/O; more are idle';
  return isAtLeast(version, '8.4')
    ? 'MySQL 8.4 has half the cores (4 at least) for reads and 4 for writes; more are idle'
    : 'MySQL has 4 and 4, with asynchronous I/O; more are idle';
}
