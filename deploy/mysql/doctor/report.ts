import { engineNames } from '../engine.ts';
import type { DatabaseFacts } from '../facts.ts';
import { redoBytesPerSecond } from './checks/redo.ts';
import type { Finding, Severity } from './finding.ts';
import { rate, total, uptimeSeconds, variable, type ServerReading } from './reading.ts';
import { duration, figure, percent } from './words.ts';

/** The figures that are worth seeing even when all is well. */
export interface Summary {
  engine: string;
  version: string;
  uptimeSeconds: number;
  sampleSeconds: number;
  /** How long it takes to answer: a median. */
  pingMs: number;
  queriesPerSecond: number;
  slowQueriesPerSecond: number;
  connections: { now: number; most: number; max: number };
  /** Page reads that missed the buffer pool since the start, by all; null when there were none. */
  missRatio: number | null;
  dataMb: number | null;
  redoMbPerHour: number;
  temporaryTablesOnDiskPerSecond: number;
  /** Of the disk; null when it was not measured. */
  syncedWritesPerSecond: number | null;
}

export function summarize(
  reading: ServerReading,
  { syncedWritesPerSecond }: Pick<DatabaseFacts, 'syncedWritesPerSecond'>,
): Summary {
  const requests = total(reading, 'innodb_buffer_pool_read_requests');
  return {
    engine: reading.server.engine,
    version: reading.server.version,
    uptimeSeconds: uptimeSeconds(reading),
    sampleSeconds: reading.sampleSeconds,
    pingMs: reading.pingMs,
    // Without the doctor's own question, the second of its two.
    queriesPerSecond: Math.max(0, rate(reading, 'questions') - 1 / reading.sampleSeconds),
    slowQueriesPerSecond: rate(reading, 'slow_queries'),
    connections: {
      now: total(reading, 'threads_connected'),
      most: total(reading, 'max_used_connections'),
      max: variable(reading, 'max_connections'),
    },
    missRatio: requests === 0 ? null : total(reading, 'innodb_buffer_pool_reads') / requests,
    dataMb: reading.dataMb,
    redoMbPerHour: (redoBytesPerSecond(reading) * 3_600) / 2 ** 20,
    temporaryTablesOnDiskPerSecond: rate(reading, 'created_tmp_disk_tables'),
    syncedWritesPerSecond,
  };
}

/** A head of two lines, then one line a finding. */
export function renderReport(summary: Summary, findings: readonly Finding[]): string[] {
  const { engine, version, connections, missRatio, dataMb, syncedWritesPerSecond } = summary;
  const name = `${engineNames[engine === 'mariadb' ? 'mariadb' : 'mysql']} ${version}`;
  return [
    `${name}, up ${duration(summary.uptimeSeconds)}: totals cover that time, rates a sample of ${figure(summary.sampleSeconds)} s`,
    [
      `an answer takes ${figure(summary.pingMs)} ms`,
      `${figure(summary.queriesPerSecond)} statements/s`,
      `${connections.now} connections (${connections.most} at most, ${connections.max} allowed)`,
      ...(missRatio === null ? [] : [`${percent(missRatio)} of page reads miss the pool`]),
      ...(dataMb === null ? [] : [`${dataMb} MB of data`]),
      `${figure(summary.redoMbPerHour)} MB of redo an hour at this rate`,
      syncedWritesPerSecond === null ? 'disk not measured' : `disk: ${figure(syncedWritesPerSecond)} synced writes/s`,
    ].join(', '),
    ...findings.map(findingLine),
    verdict(findings),
  ];
}

/** One line: how grave, what, how it was measured, what to do. */
export function findingLine({ severity, id, what, measured, todo }: Finding): string {
  return `${severity.padEnd(8)} ${id}: ${what}; measured: ${measured}; do: ${todo}`;
}

/** The last line. */
export function verdict(findings: readonly Finding[]): string {
  const count = (severity: Severity): number => findings.filter((finding) => finding.severity === severity).length;
  const [critical, warnings, notes] = [count('critical'), count('warning'), count('note')];
  const told = `${critical} critical, ${warnings} to do, ${notes} to note`;
  return critical + warnings === 0 ? `Well: ${told}` : `Something to do: ${told}`;
}
