import fc from 'fast-check';
import type { DatabaseFacts } from '../../../../deploy/mysql/facts.ts';

/** A small virtual machine with Debian's server, as the tests change it. */
export function factsOf(changed: Partial<DatabaseFacts> = {}): DatabaseFacts {
  return {
    engine: 'mariadb',
    version: '10.11.19',
    memoryMb: 2048,
    cores: 2,
    disk: { kind: 'virtual', name: 'vda', rotational: true, scheduler: 'mq-deadline', queues: 1 },
    syncedWritesPerSecond: 2000,
    dedicated: false,
    dataMb: null,
    appConnections: 40,
    redoMbPerHour: null,
    binlog: false,
    relaxedCommits: false,
    tcp: false,
    logDir: null,
    ...changed,
  };
}

/** Servers of every range that the table of variables tells apart. */
export const servers = [
  ...['10.3.39', '10.4.34', '10.5.29', '10.6.0', '10.6.22', '10.11.19', '11.0.1', '11.4.8', '11.8.3', '12.1.2'].map(
    (version) => ({ engine: 'mariadb' as const, version }),
  ),
  ...['5.7.19', '5.7.44', '8.0.1', '8.0.11', '8.0.29', '8.0.30', '8.4.3', '9.4.0'].map((version) => ({
    engine: 'mysql' as const,
    version,
  })),
];

const orNull = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { nil: null });

/** Any machine that the command line can describe, and any server. */
export const anyFacts: fc.Arbitrary<DatabaseFacts> = fc
  .record({
    server: fc.constantFrom(...servers),
    memoryMb: fc.integer({ min: 256, max: 4 * 1024 * 1024 }),
    cores: fc.integer({ min: 1, max: 512 }),
    disk: fc.record({
      kind: fc.constantFrom('ssd', 'nvme', 'hdd', 'virtual', 'unknown'),
      name: orNull(fc.string()),
      rotational: orNull(fc.boolean()),
      scheduler: orNull(fc.string()),
      queues: orNull(fc.nat(128)),
    }),
    syncedWritesPerSecond: orNull(fc.double({ min: 0.5, max: 1e6, noNaN: true })),
    dedicated: fc.boolean(),
    dataMb: orNull(fc.integer({ min: 1, max: 64 * 1024 * 1024 })),
    appConnections: orNull(fc.integer({ min: 1, max: 90_000 })),
    redoMbPerHour: orNull(fc.integer({ min: 1, max: 1e6 })),
    binlog: fc.boolean(),
    relaxedCommits: fc.boolean(),
    tcp: fc.boolean(),
    logDir: orNull(fc.constantFrom('/var/log/mysql', '/var/log/my "sql"')),
  })
  .map(({ server, ...facts }) => ({ ...server, ...facts }) as DatabaseFacts);
