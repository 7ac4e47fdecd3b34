import type { Finding } from '../finding.ts';
import { rate, total, variable, type ServerReading } from '../reading.ts';
import { changeTo } from '../remedy.ts';
import { figure, percent, sinceStart } from '../words.ts';

/** Open tables and files. */
export function checkTables(reading: ServerReading): Finding[] {
  return [...tableCache(reading), ...openFiles(reading)];
}

function tableCache(reading: ServerReading): Finding[] {
  const misses = total(reading, 'table_open_cache_misses');
  const all = misses + total(reading, 'table_open_cache_hits');
  const size = variable(reading, 'table_open_cache');
  const isFull = total(reading, 'open_tables') >= size * 0.95;
  if (misses < 1000 || misses / all <= 0.01 || !isFull) return [];
  return [
    {
      id: 'table-cache-misses',
      severity: 'warning',
      what: `${percent(misses / all)} of tables are opened anew: the cache of ${size} is full`,
      measured: `Table_open_cache_misses ${misses} of ${all} ${sinceStart(reading)}; now ${figure(rate(reading, 'table_open_cache_misses'))} a second`,
      todo: changeTo('table_open_cache', size * 2, reading.server),
    },
  ];
}

function openFiles(reading: ServerReading): Finding[] {
  const limit = variable(reading, 'open_files_limit');
  if (limit === 0) return [];
  const open = Math.max(total(reading, 'open_files'), total(reading, 'innodb_num_open_files'));
  const needed = variable(reading, 'max_connections') + variable(reading, 'table_open_cache') * 2;
  const service = reading.server.engine === 'mariadb' ? 'mariadb' : 'mysql';
  const todo = `systemctl edit ${service}, with [Service] LimitNOFILE=${Math.ceil((needed * 2) / 1000) * 1000}; then restart it`;
  if (open > limit * 0.8) {
    return [
      {
        id: 'open-files',
        severity: 'critical',
        what: `${open} of ${limit} files are open: at the limit tables cannot be opened`,
        measured: 'Open_files and open_files_limit',
        todo,
      },
    ];
  }
  if (needed <= limit) return [];
  return [
    {
      id: 'open-files-limit',
      severity: 'warning',
      what: `the server may open ${limit} files, and its connections and tables can need ${needed}`,
      measured: 'max_connections + 2 × table_open_cache beside open_files_limit',
      todo,
    },
  ];
}
