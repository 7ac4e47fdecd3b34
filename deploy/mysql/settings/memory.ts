import { databaseServerLimits as limits } from '../../../runtime/contract/limits.ts';
import { engineNames } from '../engine.ts';
import { isAtLeast } from '../../versions.ts';
import type { DatabaseFacts } from '../facts.ts';
import { clamp, mebibyte, type LeftOut, type Section, type Setting } from '../setting.ts';

/** MySQL gives out the pool in chunks of 128 MiB for each instance, and rounds it up to whole ones. */
const chunkMb = 128;

/** The buffer pool, and the other large users of memory. */
export function memorySection(facts: DatabaseFacts): Section {
  const settings: Setting[] = [bufferPool(facts)];
  const leftOut: LeftOut[] = [];
  if (facts.engine === 'mysql') {
    settings.push(...instances(facts), ...temporaryTables(facts), ...performanceSchema(facts));
  } else {
    leftOut.push({
      name: 'innodb_buffer_pool_instances',
      reason: 'MariaDB has one pool since 10.5 and does not start with this variable since 10.6',
    });
    settings.push(
      {
        name: 'query_cache_type',
        value: false,
        reason: 'one lock around all queries, emptied for a table by every write to it: off, as it is by default',
        dynamic: true,
      },
      { name: 'query_cache_size', value: 0, reason: 'no memory for what is off (the default is 1M)', dynamic: true },
    );
  }
  return { title: 'Memory', settings, leftOut };
}

/** Mebibytes of the buffer pool. */
export function poolMb(facts: DatabaseFacts): number {
  const share = poolShare(facts);
  const wanted = facts.memoryMb * share;
  const useful = facts.dataMb === null ? Infinity : Math.max(facts.dataMb * 1.2, limits.poolMbMin);
  const size = Math.max(Math.min(wanted, useful), limits.poolMbMin);
  if (facts.engine === 'mariadb') return Math.floor(size / 16) * 16;
  const step = chunkMb * instanceCount(facts, size);
  return size < step ? Math.floor(size / 16) * 16 : Math.floor(size / step) * step;
}

/** 25 % of up to 2 GB, rising to 35 % at 4 GB and to 40 % at 8 GB; 70 % of a machine that does nothing else. */
export function poolShare({ dedicated, memoryMb }: Pick<DatabaseFacts, 'dedicated' | 'memoryMb'>): number {
  if (dedicated) return 0.7;
  const gb = memoryMb / 1024;
  if (gb <= 2) return 0.25;
  if (gb <= 4) return 0.25 + ((gb - 2) / 2) * 0.1;
  return Math.min(0.4, 0.35 + ((gb - 4) / 4) * 0.05);
}

function bufferPool(facts: DatabaseFacts): Setting {
  const { dedicated, memoryMb, dataMb } = facts;
  const size = poolMb(facts);
  const percent = Math.round(poolShare(facts) * 100);
  const neighbours = dedicated
    ? 'the machine is given to the database (--dedicated)'
    : 'the machine is shared with the apps, whose processes need the rest';
  const capped =
    dataMb !== null && dataMb * 1.2 < memoryMb * poolShare(facts)
      ? `; held to 1.2 times the ${dataMb} MB of data, as more would stay empty`
      : '';
  return {
    name: 'innodb_buffer_pool_size',
    value: size * mebibyte,
    unit: 'bytes',
    reason: `${percent} % of ${memoryMb} MB: ${neighbours}${capped}`,
    dynamic: true,
  };
}

function instanceCount({ cores }: DatabaseFacts, sizeMb: number): number {
  return clamp(Math.floor(cores / 4), { min: 1, max: clamp(Math.floor(sizeMb / 1024), { min: 1, max: 8 }) });
}

function instances(facts: DatabaseFacts): Setting[] {
  const count = instanceCount(facts, poolMb(facts));
  return [
    {
      name: 'innodb_buffer_pool_instances',
      value: count,
      reason: `a quarter of ${facts.cores} cores and 1 GB each at least; the pool is rounded up to ${chunkMb} MB times this, so 8.0's default of 8 would make it larger than written here`,
      dynamic: false,
    },
  ];
}

/** MySQL 8.0 lets temporary tables take 1 GiB beside the pool, whatever the machine has. */
function temporaryTables({ version, memoryMb }: DatabaseFacts): Setting[] {
  if (!isAtLeast(version, '8.0.2')) return [];
  const size = clamp(Math.floor(memoryMb * 0.03), { min: 64, max: 4096 });
  return [
    {
      name: 'temptable_max_ram',
      value: size * mebibyte,
      unit: 'bytes',
      reason: `3 % of ${memoryMb} MB for all temporary tables together, as 8.4 does it: 8.0 takes 1 GB, and 8.4 not less`,
      dynamic: true,
    },
  ];
}

function performanceSchema({ engine, memoryMb }: DatabaseFacts): Setting[] {
  if (memoryMb > limits.smallMachineMb) return [];
  return [
    {
      name: 'performance_schema',
      value: false,
      reason: `${engineNames[engine]} takes 100 to 400 MB for it, too much of ${memoryMb} MB; SHOW STATUS and the slow log stay`,
      dynamic: false,
    },
  ];
}
