import type { Finding } from '../finding.ts';
import { rate, total, variable, type ServerReading } from '../reading.ts';
import { changeTo } from '../remedy.ts';
import { figure, megabytes, percent, sinceStart } from '../words.ts';

/** A hit rate of few reads says nothing. */
const readsMin = 100_000;
const missesMost = 0.01;
const freeLeast = 0.05;

/** The buffer pool and temporary tables. */
export function checkMemory(reading: ServerReading, { poolBytes }: { poolBytes: number | null }): Finding[] {
  return [...misses(reading, poolBytes), ...waits(reading), ...temporaryTables(reading), ...sorts(reading)];
}

/** Misses count only when the pool is full: before that it is still being filled. */
function misses(reading: ServerReading, poolBytes: number | null): Finding[] {
  const requests = total(reading, 'innodb_buffer_pool_read_requests');
  const reads = total(reading, 'innodb_buffer_pool_reads');
  const free = total(reading, 'innodb_buffer_pool_pages_free') / total(reading, 'innodb_buffer_pool_pages_total');
  if (requests < readsMin || reads / requests <= missesMost || !(free < freeLeast)) return [];
  const size = variable(reading, 'innodb_buffer_pool_size');
  const larger = poolBytes !== null && poolBytes > size * 1.1 ? poolBytes : null;
  const data = reading.dataMb === null ? '' : `, ${reading.dataMb} MB of data`;
  return [
    {
      id: 'buffer-pool-misses',
      severity: 'warning',
      what: `${percent(reads / requests)} of page reads miss the buffer pool, which is full (${megabytes(size)}${data})`,
      measured: `Innodb_buffer_pool_reads ${reads} of ${requests} ${sinceStart(reading)}; now ${figure(rate(reading, 'innodb_buffer_pool_reads'))} a second`,
      todo:
        larger === null
          ? 'the pool has its share of the memory: look for scans in the slow log, or give the machine more memory'
          : changeTo('innodb_buffer_pool_size', larger, reading.server),
    },
  ];
}

function waits(reading: ServerReading): Finding[] {
  const count = total(reading, 'innodb_buffer_pool_wait_free');
  if (count === 0) return [];
  const capacity = Math.max(200, variable(reading, 'innodb_io_capacity')) * 2;
  return [
    {
      id: 'buffer-pool-waits',
      severity: rate(reading, 'innodb_buffer_pool_wait_free') > 0 ? 'warning' : 'note',
      what: 'queries waited for a page to be written before they could have one',
      measured: `Innodb_buffer_pool_wait_free ${count} ${sinceStart(reading)}`,
      todo: `if the disk can do it: ${changeTo('innodb_io_capacity', capacity, reading.server)}`,
    },
  ];
}

function temporaryTables(reading: ServerReading): Finding[] {
  const onDisk = total(reading, 'created_tmp_disk_tables');
  const all = total(reading, 'created_tmp_tables');
  if (onDisk < 1000 || onDisk / all <= 0.25) return [];
  const size = Math.min(64 * 2 ** 20, variable(reading, 'tmp_table_size') * 2);
  return [
    {
      id: 'temporary-tables-on-disk',
      severity: 'warning',
      what: `${percent(onDisk / all)} of temporary tables go to the disk`,
      measured: `Created_tmp_disk_tables ${onDisk} of ${all} ${sinceStart(reading)}; now ${figure(rate(reading, 'created_tmp_disk_tables'))} a second`,
      todo: `give GROUP BY and ORDER BY of the slow log an index and leave TEXT and BLOB out of them; else ${changeTo('tmp_table_size', size, reading.server)} and ${changeTo('max_heap_table_size', size, reading.server)}`,
    },
  ];
}

function sorts(reading: ServerReading): Finding[] {
  const passes = total(reading, 'sort_merge_passes');
  const all = total(reading, 'sort_scan') + total(reading, 'sort_range');
  if (passes < 1000 || passes / all <= 0.1) return [];
  const size = Math.min(8 * 2 ** 20, variable(reading, 'sort_buffer_size') * 2);
  return [
    {
      id: 'sort-merge-passes',
      severity: 'note',
      what: 'sorts do not fit their buffer and are merged on the disk',
      measured: `Sort_merge_passes ${passes} for ${all} sorts ${sinceStart(reading)}; now ${figure(rate(reading, 'sort_merge_passes'))} a second`,
      todo: `sort fewer rows (an index, a LIMIT); else ${changeTo('sort_buffer_size', size, reading.server)}, which each connection may take`,
    },
  ];
}
