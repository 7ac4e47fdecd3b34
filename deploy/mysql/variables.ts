import type { Engine, ServerVersion } from './engine.ts';
import { compareVersions, isAtLeast } from '../versions.ts';

/** Versions of one engine that take a variable without complaint: from `since` up to, but not with, `until`. */
interface Range {
  since?: string;
  /** The first version that calls it deprecated, ignores it or refuses to start with it. */
  until?: string;
}

type Availability = Readonly<Partial<Record<Engine, Range>>>;

const always: Range = {};
const everywhere: Availability = { mariadb: always, mysql: always };

/**
 * Every variable that a configuration may hold, with the engines and versions that have it. One that is unknown keeps
 * a server from starting, and a deprecated one is the next version's unknown.
 */
export const variables = {
  innodb_buffer_pool_size: everywhere,
  // MariaDB: ignored since 10.5.1, gone in 10.6.
  innodb_buffer_pool_instances: { mysql: always, mariadb: { until: '10.5' } },
  innodb_redo_log_capacity: { mysql: { since: '8.0.30' } },
  innodb_log_file_size: { mysql: { until: '8.0.30' }, mariadb: always },
  // MariaDB has had one file since 10.5.
  innodb_log_files_in_group: { mysql: { until: '8.0.30' }, mariadb: { until: '10.5' } },
  innodb_io_capacity: everywhere,
  innodb_io_capacity_max: everywhere,
  innodb_flush_neighbors: everywhere,
  // MariaDB 11 has innodb_data_file_buffering and three more instead.
  innodb_flush_method: { mysql: always, mariadb: { until: '11.0' } },
  innodb_read_io_threads: everywhere,
  innodb_write_io_threads: everywhere,
  innodb_flush_log_at_trx_commit: everywhere,
  sync_binlog: everywhere,
  skip_log_bin: everywhere,
  log_bin: everywhere,
  server_id: everywhere,
  binlog_expire_logs_seconds: { mysql: { since: '8.0.1' }, mariadb: { since: '10.6.1' } },
  expire_logs_days: { mysql: { until: '8.0.1' }, mariadb: { until: '10.6.1' } },
  // The whole query cache is gone from MySQL 8.0, and was deprecated in 5.7.20.
  query_cache_type: { mysql: { until: '5.7.20' }, mariadb: always },
  query_cache_size: { mysql: { until: '5.7.20' }, mariadb: always },
  temptable_max_ram: { mysql: { since: '8.0.2' } },
  performance_schema: { mysql: always },
  max_connections: everywhere,
  table_open_cache: everywhere,
  table_definition_cache: everywhere,
  open_files_limit: everywhere,
  slow_query_log: everywhere,
  slow_query_log_file: everywhere,
  long_query_time: everywhere,
  character_set_server: everywhere,
  collation_server: everywhere,
  skip_name_resolve: everywhere,
  skip_networking: everywhere,
  bind_address: everywhere,
  // The X plugin has a port of its own, 33060 on every address, which bind_address does not reach.
  mysqlx: { mysql: { since: '8.0.11' } },
  local_infile: everywhere,
} as const satisfies Record<string, Availability>;

export type VariableName = keyof typeof variables;

/** Whether the server takes this variable, and does not call it deprecated. */
export function isKnown(name: VariableName, { engine, version }: ServerVersion): boolean {
  const range = (variables[name] as Availability)[engine];
  if (range === undefined || !isAtLeast(version, range.since ?? '0')) return false;
  return range.until === undefined || compareVersions(version, range.until) < 0;
}
