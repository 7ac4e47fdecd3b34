import type { DatabaseFacts } from '../facts.ts';
import { planConfig, settingsOf } from '../plan.ts';
import { checkConnections } from './checks/connections.ts';
import { checkDisk } from './checks/disk.ts';
import { checkMemory } from './checks/memory.ts';
import { checkQueries } from './checks/queries.ts';
import { checkRedo } from './checks/redo.ts';
import { checkSafety } from './checks/safety.ts';
import { checkSettings } from './checks/settings.ts';
import { checkTables } from './checks/tables.ts';
import { bySeverity, type Finding } from './finding.ts';
import type { ServerReading } from './reading.ts';

export interface DiagnoseOptions {
  /** What the configuration would be made from. */
  facts: DatabaseFacts;
  /** Whether the facts are those of the machine that the server runs on. */
  machineKnown: boolean;
  now: Date;
}

/** All that is wrong with a server, the gravest first. */
export function diagnose(reading: ServerReading, { facts, machineKnown, now }: DiagnoseOptions): Finding[] {
  const settings = settingsOf(planConfig(facts));
  const pool = settings.find(({ name }) => name === 'innodb_buffer_pool_size');
  const findings = [
    ...checkSafety(reading, { now }),
    ...checkSettings(reading, {
      settings,
      machineKnown,
      diskMeasured: facts.syncedWritesPerSecond !== null,
      redoKnown: facts.redoMbPerHour !== null,
      budgetKnown: facts.appConnections !== null,
    }),
    ...checkMemory(reading, { poolBytes: machineKnown ? Number(pool?.value) : null }),
    ...checkRedo(reading),
    ...checkConnections(reading, { cores: machineKnown ? facts.cores : null }),
    ...checkTables(reading),
    ...checkQueries(reading),
    ...(machineKnown ? checkDisk(facts) : []),
  ];
  return bySeverity(findings);
}
