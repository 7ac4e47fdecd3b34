import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { diagnose } from '../../../../deploy/mysql/doctor/diagnose.ts';
import { needsAction, type Finding } from '../../../../deploy/mysql/doctor/finding.ts';
import { redoMbPerHour } from '../../../../deploy/mysql/doctor/checks/redo.ts';
import type { ServerReading, Values } from '../../../../deploy/mysql/doctor/reading.ts';
import { renderReport, summarize } from '../../../../deploy/mysql/doctor/report.ts';
import type { DatabaseFacts } from '../../../../deploy/mysql/facts.ts';
import { planConfig, settingsOf } from '../../../../deploy/mysql/plan.ts';
import { variables } from '../../../../deploy/mysql/variables.ts';
import { repositoryRoot } from '../../../support/cli.ts';
import { factsOf } from './facts.ts';

interface Changed {
  facts?: Partial<DatabaseFacts>;
  variables?: Values;
  /** Of both samples. */
  status?: Values;
  /** Of the second one. */
  after?: Values;
  accounts?: ServerReading['accounts'];
  machineKnown?: boolean;
  now?: string;
}

/** A server that has the rendered configuration and half a day of quiet work behind it, but for what is `changed`. */
function readingOf({ facts: changedFacts, variables, status, after, accounts }: Changed): {
  reading: ServerReading;
  facts: DatabaseFacts;
} {
  const facts = factsOf(changedFacts);
  const shown = settingsOf(planConfig(facts)).map(({ name, value }) => [
    name,
    typeof value === 'boolean' ? (value ? 'ON' : 'OFF') : String(value),
  ]);
  const counters = {
    uptime: '43200',
    connections: '5000',
    questions: '900000',
    com_select: '500000',
    max_used_connections: '20',
    threads_connected: '4',
    threads_running: '1',
    innodb_buffer_pool_read_requests: '40000000',
    innodb_buffer_pool_reads: '4000',
    innodb_buffer_pool_pages_free: '20000',
    innodb_buffer_pool_pages_total: '32000',
    ...status,
  };
  const reading: ServerReading = {
    server: { engine: facts.engine, version: facts.version },
    variables: {
      ...Object.fromEntries(shown),
      innodb_doublewrite: 'ON',
      log_bin: 'OFF',
      datadir: '/var/lib/mysql/',
      ...variables,
    },
    before: counters,
    after: { ...counters, ...after },
    sampleSeconds: 1,
    pingMs: 0.2,
    accounts: accounts === undefined ? [{ user: 'root', host: 'localhost', open: false, everywhere: true }] : accounts,
    dataMb: 300,
  };
  return { reading, facts };
}

function diagnoseOf(changed: Changed): Finding[] {
  const { reading, facts } = readingOf(changed);
  const now = new Date(changed.now ?? '2026-11-01');
  return diagnose(reading, { facts, machineKnown: changed.machineKnown ?? true, now });
}

test('a server with the rendered configuration is well', () => {
  expect(diagnoseOf({})).toEqual([]);
  expect(diagnoseOf({ facts: { engine: 'mysql', version: '8.4.3' } })).toEqual([]);
});

const full = { innodb_buffer_pool_pages_free: '100' };
const mysql = { engine: 'mysql', version: '8.4.3' } as const;

/** What is wrong, the one finding that tells it, and what must stand in its line. */
const wrongs: [id: string, severity: string, changed: Changed, told: string[]][] = [
  [
    'buffer-pool-misses',
    'warning',
    { status: { ...full, innodb_buffer_pool_reads: '2000000' }, after: { innodb_buffer_pool_reads: '2000700' } },
    ['5 %', '12 h', '700 a second', 'more memory'],
  ],
  [
    'buffer-pool-waits',
    'warning',
    { after: { innodb_buffer_pool_wait_free: '7' } },
    ['SET GLOBAL innodb_io_capacity = 1000'],
  ],
  [
    'temporary-tables-on-disk',
    'warning',
    {
      status: { created_tmp_tables: '4000', created_tmp_disk_tables: '2000' },
      variables: { tmp_table_size: '16777216' },
    },
    ['50 %', 'tmp_table_size = 33554432'],
  ],
  [
    'sort-merge-passes',
    'note',
    { status: { sort_merge_passes: '3000', sort_scan: '9000' }, variables: { sort_buffer_size: '2097152' } },
    ['sort_buffer_size = 4194304'],
  ],
  [
    'redo-log-full',
    'warning',
    { status: { innodb_checkpoint_age: '200000000', innodb_checkpoint_max_age: '216000000' } },
    ['92.6 %'],
  ],
  [
    'redo-log-full',
    'warning',
    { facts: mysql, status: { innodb_redo_log_current_lsn: '900000000', innodb_redo_log_checkpoint_lsn: '650000000' } },
    ['93.1 %', 'SET PERSIST innodb_redo_log_capacity = 536870912;'],
  ],
  [
    'redo-buffer-waits',
    'note',
    { status: { innodb_log_waits: '3' }, variables: { innodb_log_buffer_size: '16777216' } },
    ['innodb_log_buffer_size = 32M'],
  ],
  [
    'connections-used-up',
    'warning',
    { status: { max_used_connections: '44' } },
    ['44 of max_connections 50', 'SET GLOBAL max_connections = 75'],
  ],
  ['connections-used-up', 'critical', { status: { connection_errors_max_connections: '9' } }, ['9 refused']],
  ['threads-running', 'warning', { status: { threads_running: '30' } }, ['30 queries']],
  ['aborted-connects', 'warning', { status: { aborted_connects: '300' } }, ['6 %', 'SET GLOBAL log_warnings = 4']],
  [
    'aborted-connects',
    'warning',
    { facts: mysql, status: { aborted_connects: '300' } },
    ['SET PERSIST log_error_verbosity = 3;'],
  ],
  [
    'aborted-clients',
    'warning',
    { status: { aborted_clients: '300' }, variables: { wait_timeout: '28800' } },
    ['wait_timeout 28800 s'],
  ],
  [
    'table-cache-misses',
    'warning',
    { status: { table_open_cache_misses: '40000', table_open_cache_hits: '60000', open_tables: '2000' } },
    ['40 %', 'table_open_cache = 4000'],
  ],
  ['open-files', 'critical', { status: { open_files: '4400' } }, ['4400 of 4550', 'LimitNOFILE=']],
  [
    'open-files-limit',
    'warning',
    { variables: { open_files_limit: '1024' } },
    ['systemctl edit mariadb', 'LimitNOFILE=9000'],
  ],
  [
    'slow-queries',
    'warning',
    { status: { slow_queries: '20000' }, variables: { slow_query_log_file: 'vm-slow.log' } },
    ['mariadb-dumpslow -s t /var/lib/mysql/vm-slow.log'],
  ],
  [
    'reads-without-index',
    'warning',
    { status: { handler_read_rnd_next: '900000000', handler_read_key: '1000000' } },
    ['1800 for each SELECT', 'log_queries_not_using_indexes'],
  ],
  ['joins-without-index', 'warning', { status: { select_full_join: '50000' } }, ['10 %']],
  ['doublewrite-off', 'critical', { variables: { innodb_doublewrite: 'OFF' } }, ['innodb_doublewrite = ON']],
  ['binlog-not-synced', 'warning', { variables: { log_bin: 'ON', sync_binlog: '0' } }, ['SET GLOBAL sync_binlog = 1']],
  [
    'setting-innodb-flush-log-at-trx-commit',
    'critical',
    { variables: { innodb_flush_log_at_trx_commit: '2' } },
    ['SET GLOBAL innodb_flush_log_at_trx_commit = 1'],
  ],
  [
    'setting-innodb-buffer-pool-size',
    'warning',
    { variables: { innodb_buffer_pool_size: '134217728' } },
    ['128 MB, not 512 MB', 'SET GLOBAL innodb_buffer_pool_size = 536870912', 'innodb_buffer_pool_size = 512M'],
  ],
  [
    'setting-innodb-io-capacity',
    'warning',
    { facts: mysql, variables: { innodb_io_capacity: '10000' } },
    ['SET PERSIST innodb_io_capacity = 500;'],
  ],
  [
    'setting-innodb-log-file-size',
    'warning',
    {
      facts: { version: '10.6.22', redoMbPerHour: 200 },
      now: '2025-06-01',
      variables: { innodb_log_file_size: '100663296' },
    },
    ['put into the option file: innodb_log_file_size = 256M; then restart'],
  ],
  [
    'listens-to-the-network',
    'critical',
    { variables: { skip_networking: 'OFF', bind_address: '*', port: '3306' } },
    ['port 3306', 'skip_networking = ON'],
  ],
  [
    'listens-to-the-network',
    'critical',
    { variables: { skip_networking: 'OFF', bind_address: '127.0.0.1,10.0.0.5' } },
    ['10.0.0.5'],
  ],
  [
    'remote-root',
    'critical',
    { accounts: [{ user: 'root', host: '%', open: false, everywhere: true }] },
    ["DROP USER 'root'@'%';"],
  ],
  [
    'anonymous-account',
    'critical',
    { accounts: [{ user: '', host: 'localhost', open: true, everywhere: false }] },
    ["DROP USER ''@'localhost';"],
  ],
  [
    'account-without-password',
    'critical',
    { accounts: [{ user: "o'x", host: 'localhost', open: true, everywhere: false }] },
    ["'o''x'@'localhost'"],
  ],
  [
    'rights-everywhere',
    'note',
    { accounts: [{ user: 'app', host: 'localhost', open: false, everywhere: true }] },
    ["REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'app'@'localhost'"],
  ],
  ['accounts-not-seen', 'note', { accounts: null }, ['mysql.user']],
  ['end-of-life', 'warning', { facts: { version: '10.6.22' } }, ['2026-07-06', 'MariaDB 11.4']],
  ['end-of-life', 'note', { now: '2028-01-01' }, ['until 2028-02-16']],
  ['slow-disk', 'warning', { facts: { syncedWritesPerSecond: 50 } }, ['20 ms']],
  [
    'io-scheduler',
    'note',
    { facts: { disk: { kind: 'nvme', name: 'nvme0n1', rotational: false, scheduler: 'kyber', queues: 4 } } },
    ['echo none > /sys/block/nvme0n1/queue/scheduler'],
  ],
];

test.each(wrongs)('the doctor tells %s as %s, and nothing else', (id, severity, changed, told) => {
  const findings = diagnoseOf(changed);
  expect(findings.map((finding) => `${finding.severity} ${finding.id}`)).toEqual([`${severity} ${id}`]);
  const { reading, facts } = readingOf(changed);
  const [, , line = '', verdict] = renderReport(summarize(reading, facts), findings);
  for (const text of told) expect(line).toContain(text);
  expect(line).not.toMatch(/\n|NaN|undefined|Infinity/);
  expect(verdict).toMatch(severity === 'note' ? /^Well: / : /^Something to do: /);
  expect(needsAction(findings)).toBe(severity !== 'note');
});

test('docs/mysql-server.md tells of every variable and every finding', () => {
  const text = readFileSync(join(repositoryRoot, 'docs/mysql-server.md'), 'utf8');
  const ids = wrongs.map(([id]) => id).filter((id) => !id.startsWith('setting-'));
  for (const name of [...Object.keys(variables), ...ids]) expect(text).toContain(`\`${name}`);
});

test('of a machine that is not known nothing is said of what it decides', () => {
  const variables = { innodb_buffer_pool_size: '134217728', innodb_io_capacity: '10000', innodb_flush_neighbors: '1' };
  expect(diagnoseOf({ variables, machineKnown: false })).toEqual([]);
});

test('of a disk that nobody measured nothing is said', () => {
  const facts = { syncedWritesPerSecond: null };
  expect(diagnoseOf({ facts, variables: { innodb_io_capacity: '10000', innodb_io_capacity_max: '20000' } })).toEqual(
    [],
  );
});

test('a small redo log is but a note while nobody knows what an hour writes', () => {
  const findings = diagnoseOf({ variables: { innodb_log_file_size: '100663296' } });
  expect(findings).toMatchObject([{ id: 'setting-innodb-log-file-size', severity: 'note' }]);
});

test('a small buffer pool is but a note while all data fits', () => {
  const [finding, ...others] = diagnoseOf({ variables: { innodb_buffer_pool_size: String(384 * 2 ** 20) } });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ severity: 'note', what: expect.stringContaining('for now the data of 300 MB fits') });
});

test('misses of a pool that is not full yet, and figures of few events, are nothing to do', () => {
  expect(diagnoseOf({ status: { innodb_buffer_pool_reads: '2000000' } })).toEqual([]);
  expect(
    diagnoseOf({ status: { aborted_connects: '3', connections: '5', slow_queries: '9', questions: '20' } }),
  ).toEqual([]);
});

test('a fresh server, which has counted nothing, divides by nothing', () => {
  const { reading, facts } = readingOf({});
  const fresh = { ...reading, before: {}, after: {} };
  expect(diagnose(fresh, { facts, machineKnown: true, now: new Date('2026-11-01') })).toEqual([]);
  expect(renderReport(summarize(fresh, facts), []).join('\n')).not.toMatch(/NaN|Infinity/);
});

test('the gravest finding comes first', () => {
  const findings = diagnoseOf({ accounts: null, variables: { innodb_doublewrite: 'OFF', slow_query_log: 'OFF' } });
  expect(findings.map(({ severity }) => severity)).toEqual(['critical', 'warning', 'note']);
});

test('the redo log of an hour is known after an hour', () => {
  expect(redoMbPerHour(readingOf({ status: { uptime: '3000' } }).reading)).toBeNull();
  const reading = readingOf({ status: { uptime: '7200', innodb_os_log_written: String(600 * 2 ** 20) } }).reading;
  expect(redoMbPerHour(reading)).toBe(300);
});
