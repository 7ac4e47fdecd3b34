import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isKnown } from '../../../../deploy/mysql/variables.ts';
import { renderConfig } from '../../../../deploy/mysql/render-config.ts';
import type { DatabaseFacts } from '../../../../deploy/mysql/facts.ts';
import { planConfig, settingsOf } from '../../../../deploy/mysql/plan.ts';
import { anyFacts, factsOf, servers } from './facts.ts';

const valuesOf = (changed: Partial<DatabaseFacts> = {}): Record<string, unknown> =>
  Object.fromEntries(settingsOf(planConfig(factsOf(changed))).map(({ name, value }) => [name, value]));
const poolMb = (changed: Partial<DatabaseFacts>): number =>
  Number(valuesOf(changed)['innodb_buffer_pool_size']) / 2 ** 20;
const title = ({ engine, version }: { engine: string; version: string }): string => `${engine} ${version}`;

/** Every InnoDB line of the 2013 recipe. */
const recipe = [
  'innodb_buffer_pool_size',
  'innodb_io_capacity',
  'innodb_read_io_threads',
  'innodb_write_io_threads',
  'innodb_flush_method',
  'innodb_flush_log_at_trx_commit',
];

test.each(servers)('the plan sets every variable of the 2013 recipe or says why not for $engine $version', (server) => {
  const plan = planConfig(factsOf(server));
  const spoken = plan.flatMap(({ settings, leftOut }) => [...settings, ...leftOut]);
  for (const name of recipe) expect(spoken.find((one) => one.name === name)?.reason ?? '').toMatch(/\w{3}/);
});

test.each(servers)('every setting has its reason, once, for $engine $version', (server) => {
  const settings = settingsOf(planConfig(factsOf({ ...server, binlog: true })));
  expect(new Set(settings.map(({ name }) => name)).size).toBe(settings.length);
  for (const { name, reason } of settings) expect([name, reason.length > 10]).toEqual([name, true]);
});

/** Written from the release notes, not from the table: from which version on a server refuses or deprecates a name. */
const gone: Record<string, { mariadb?: string; mysql?: string }> = {
  innodb_buffer_pool_instances: { mariadb: '10.5' },
  innodb_log_files_in_group: { mariadb: '10.5', mysql: '8.0.30' },
  innodb_log_file_size: { mysql: '8.0.30' },
  innodb_flush_method: { mariadb: '11.0' },
  query_cache_type: { mysql: '5.7.20' },
  query_cache_size: { mysql: '5.7.20' },
  expire_logs_days: { mysql: '8.0.1' },
  innodb_redo_log_capacity: { mariadb: '0' },
  temptable_max_ram: { mariadb: '0' },
  performance_schema: { mariadb: '0' },
  mysqlx: { mariadb: '0' },
};
/** And those that are too new. */
const born: Record<string, { mariadb?: string; mysql?: string }> = {
  innodb_redo_log_capacity: { mysql: '8.0.30' },
  temptable_max_ram: { mysql: '8.0.2' },
  binlog_expire_logs_seconds: { mariadb: '10.6.1', mysql: '8.0.1' },
  mysqlx: { mysql: '8.0.11' },
};
const number = (version: string): number => {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return major * 1e6 + minor * 1e3 + patch;
};

test.each(servers)('the plan holds nothing that $engine $version lacks or deprecates', (server) => {
  const names = Object.keys(valuesOf({ ...server, binlog: true, memoryMb: 1024 }));
  for (const name of names) {
    const [until, since] = [gone[name]?.[server.engine], born[name]?.[server.engine]];
    if (until !== undefined) expect([name, number(server.version) < number(until)]).toEqual([name, true]);
    if (since !== undefined) expect([name, number(server.version) >= number(since)]).toEqual([name, true]);
  }
});

test.each(servers)('the redo log of $engine $version has the planned size under the name it has there', (server) => {
  const values = valuesOf({ ...server, memoryMb: 8192, dedicated: true, redoMbPerHour: 1000 });
  const names = ['innodb_redo_log_capacity', 'innodb_log_file_size'].filter((name) => name in values);
  expect([title(server), names.length]).toEqual([title(server), 1]);
  const isOne =
    server.engine === 'mariadb' ? number(server.version) >= number('10.5') : names[0] === 'innodb_redo_log_capacity';
  expect(Number(values[names[0]!]) * (isOne ? 1 : 2)).toBe(1000 * 2 ** 20);
});

describe('the buffer pool', () => {
  test.each([
    [512, 128],
    [1024, 256],
    [2048, 512],
    [3072, 912],
    [4096, 1424],
    [8192, 3264],
    [65536, 26208],
  ])('takes of %i MB on a shared machine %i MB', (memoryMb, expected) => {
    expect(poolMb({ memoryMb })).toBe(expected);
  });

  test('takes 70 % of a machine of its own', () => {
    expect(poolMb({ memoryMb: 10_000, dedicated: true })).toBe(6992);
  });

  test('is not above 1.2 times the data', () => {
    expect(poolMb({ memoryMb: 65_536, dataMb: 1000 })).toBe(1200);
  });

  test.each([2, 8, 16, 64])(
    'of MySQL is whole chunks of its instances, so that it is not rounded up, with %i cores',
    (cores) => {
      for (const memoryMb of [2048, 4096, 6000, 16_384, 65_536]) {
        const values = valuesOf({ engine: 'mysql', version: '8.0.40', memoryMb, cores });
        const step = 128 * Number(values['innodb_buffer_pool_instances']);
        expect((Number(values['innodb_buffer_pool_size']) / 2 ** 20) % step).toBe(0);
      }
    },
  );
});

test.each([
  [100, 200],
  [2000, 500],
  [7900, 1980],
  [100_000, 2000],
])('io_capacity of %i synced writes a second is %i', (syncedWritesPerSecond, expected) => {
  const values = valuesOf({ syncedWritesPerSecond });
  expect(values['innodb_io_capacity']).toBe(expected);
  expect(values['innodb_io_capacity_max']).toBe(expected * 2);
});

test('redo log stays between 256 MB and half the pool', () => {
  const redo = (changed: Partial<DatabaseFacts>): number => Number(valuesOf(changed)['innodb_log_file_size']) / 2 ** 20;
  expect(redo({ memoryMb: 1024 })).toBe(256);
  expect(redo({ memoryMb: 4096 })).toBe(712);
  expect(redo({ memoryMb: 8192 })).toBe(1024);
  expect(redo({ memoryMb: 8192, redoMbPerHour: 700 })).toBe(700);
  expect(redo({ memoryMb: 8192, redoMbPerHour: 70_000 })).toBe(1632);
  expect(redo({ memoryMb: 8192, redoMbPerHour: 7 })).toBe(256);
});

test('commits are durable unless the loss was chosen by name', () => {
  expect(valuesOf()['innodb_flush_log_at_trx_commit']).toBe(1);
  expect(valuesOf({ binlog: true })['sync_binlog']).toBe(1);
  expect(valuesOf({ relaxedCommits: true })['innodb_flush_log_at_trx_commit']).toBe(2);
});

test('max_connections is the sum of the budgets and ten', () => {
  expect(valuesOf({ appConnections: 141 })['max_connections']).toBe(151);
});

test('neighbours are flushed on a disk that rotates only, and a virtual one is not believed', () => {
  const { disk } = factsOf();
  expect(valuesOf()['innodb_flush_neighbors']).toBe(0);
  expect(valuesOf({ disk: { ...disk, kind: 'hdd' } })['innodb_flush_neighbors']).toBe(1);
});

test('the server listens on the unix socket only, on loopback when asked for, never wider', () => {
  expect(valuesOf()).toMatchObject({ skip_networking: true });
  expect(valuesOf({ tcp: true })).toMatchObject({ bind_address: '127.0.0.1' });
  expect(valuesOf({ engine: 'mysql', version: '8.4.3', tcp: true })).toMatchObject({ mysqlx: false });
});

test('of any machine and server, the plan stays within its bounds', () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const plan = planConfig(facts);
      const settings = settingsOf(plan);
      const value = (name: string): number => Number(settings.find((one) => one.name === name)?.value);
      const pool = value('innodb_buffer_pool_size') / 2 ** 20;
      expect(pool).toBeGreaterThanOrEqual(64);
      expect(pool).toBeLessThanOrEqual(Math.max(64, facts.memoryMb * (facts.dedicated ? 0.7 : 0.4)));
      if (facts.dataMb !== null) expect(pool).toBeLessThanOrEqual(Math.max(64, facts.dataMb * 1.2));
      const redo = value('innodb_redo_log_capacity') || value('innodb_log_file_size');
      expect(redo / 2 ** 20).toBeLessThanOrEqual(Math.max(256, pool / 2));
      expect(value('innodb_io_capacity')).toBeGreaterThanOrEqual(200);
      expect(value('innodb_io_capacity')).toBeLessThanOrEqual(2000);
      expect(value('innodb_io_capacity_max')).toBe(2 * value('innodb_io_capacity'));
      expect(value('open_files_limit')).toBeGreaterThan(value('max_connections') + 2 * value('table_open_cache'));
      for (const { name, value } of settings)
        expect([name, isKnown(name, facts), Number.isNaN(value)]).toEqual([name, true, false]);
      expect(renderConfig(plan, facts)).not.toMatch(/NaN|undefined|Infinity|\[object/);
    }),
  );
});
