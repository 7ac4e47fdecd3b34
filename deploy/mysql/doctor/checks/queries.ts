import type { Finding } from '../finding.ts';
import { rate, total, variable, type ServerReading } from '../reading.ts';
import { figure, percent, sinceStart } from '../words.ts';

/** Rows a statement may read without an index, on average, before it is worth a word. */
const rowsMost = 1000;

/** Slow queries, and those that read whole tables. */
export function checkQueries(reading: ServerReading): Finding[] {
  return [...slow(reading), ...scans(reading), ...fullJoins(reading)];
}

function slow(reading: ServerReading): Finding[] {
  const count = total(reading, 'slow_queries');
  const all = total(reading, 'questions');
  if (count < 10 || count / all <= 0.001) return [];
  const { engine } = reading.server;
  const dump = engine === 'mariadb' ? 'mariadb-dumpslow' : 'mysqldumpslow';
  return [
    {
      id: 'slow-queries',
      severity: count / all > 0.01 ? 'warning' : 'note',
      what: `${percent(count / all)} of statements take longer than ${variable(reading, 'long_query_time')} s`,
      measured: `Slow_queries ${count} of ${all} ${sinceStart(reading)}; now ${figure(rate(reading, 'slow_queries'))} a second`,
      todo: `${dump} -s t ${slowLog(reading)} tells which; EXPLAIN tells why`,
    },
  ];
}

function slowLog({ variables }: ServerReading): string {
  const file = variables['slow_query_log_file'] ?? '';
  return file.startsWith('/') ? file : `${variables['datadir'] ?? ''}${file}`;
}

/** Rows read in the order of the table: each is one that no index found. */
function scans(reading: ServerReading): Finding[] {
  const scanned = total(reading, 'handler_read_rnd_next');
  const found = ['key', 'next', 'prev', 'rnd', 'first', 'last'].reduce(
    (sum, name) => sum + total(reading, `handler_read_${name}`),
    0,
  );
  const selects = total(reading, 'com_select');
  if (selects < 1000 || scanned / selects <= rowsMost || scanned / (scanned + found) <= 0.5) return [];
  return [
    {
      id: 'reads-without-index',
      severity: 'warning',
      what: `${percent(scanned / (scanned + found))} of rows are read without an index, ${figure(scanned / selects)} for each SELECT`,
      measured: `Handler_read_rnd_next ${scanned}, Com_select ${selects} ${sinceStart(reading)}; now ${figure(rate(reading, 'handler_read_rnd_next'))} rows a second`,
      todo: 'for an hour: SET GLOBAL log_queries_not_using_indexes = ON; then the slow log names them, and EXPLAIN says which index is missing',
    },
  ];
}

function fullJoins(reading: ServerReading): Finding[] {
  const joins = total(reading, 'select_full_join');
  const selects = total(reading, 'com_select');
  if (joins < 100 || joins / selects <= 0.01) return [];
  return [
    {
      id: 'joins-without-index',
      severity: 'warning',
      what: `${percent(joins / selects)} of SELECTs join a table without an index`,
      measured: `Select_full_join ${joins} of ${selects} ${sinceStart(reading)}; now ${figure(rate(reading, 'select_full_join'))} a second`,
      todo: 'for an hour: SET GLOBAL log_queries_not_using_indexes = ON; then give the columns of ON in the slow log an index',
    },
  ];
}
