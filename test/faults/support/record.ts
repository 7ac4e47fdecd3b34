import { appendFileSync } from 'node:fs';
import { expect, inject } from 'vitest';
import type { Figures } from './figures.ts';
import type { NeighbourReport } from './neighbours.ts';

/** A row of the table of faults: what was done. */
export interface Promised {
  row: number;
  fault: string;
}

/** One line of the file that the table at the end of the run is made of. */
export interface Entry extends Promised {
  before: Record<string, Figures>;
  during: Record<string, Figures>;
}

/** Another p99 than before is allowed up to here: shared machines have bad moments of their own. */
const factor = 5;
const slackMs = 150;

/** Enters a measurement in the table. */
export function record(row: Promised, { before, during }: NeighbourReport<unknown>): void {
  const entry: Entry = { ...row, before, during };
  appendFileSync(inject('faultsFile'), `${JSON.stringify(entry)}\n`);
}

/** Fails unless the neighbours named had no failure. Without a cgroup, an app that takes all CPUs makes them wait. */
export function expectNoFailures(report: NeighbourReport<unknown>, ...names: string[]): void {
  for (const name of names) expect(report.during[name]!.failureKinds, `failures of: ${name}`).toEqual({});
}

/** Fails unless the neighbour named had no failure, and a p99 not much above its own before or the bare server's. */
export function expectUnharmed(report: NeighbourReport<unknown>, ...names: string[]): void {
  expectNoFailures(report, ...names);
  const allowedMs = slackMs * report.slowness;
  for (const name of names) {
    const during = report.during[name]!;
    const p99s = [report.before[name]!.p99, report.before['control']!.p99, report.during['control']!.p99];
    expect(during.p99, `p99 of: ${name}`).toBeLessThan(factor * Math.max(...p99s) + allowedMs);
  }
}

/** Both ways to the app that has no part in the fault. */
export const otherApp = ['other app', 'other app, socket'] as const;

/** What clients are told whose request was in flight in a host that died, or came a moment later. */
export const lostHost = /^(502 FN_APP_UNREACHABLE|503 FN_APP_UNAVAILABLE)$/;

/** Fails unless the neighbour had a sound answer at least every `ms`, and failures of no other kind than `kinds`. */
export function expectBackWithin(
  report: NeighbourReport<unknown>,
  { name, ms, kinds }: { name: string; ms: number; kinds: RegExp },
): void {
  const { gapMs, failureKinds } = report.during[name]!;
  expect(gapMs, `longest time without an answer of: ${name}`).toBeLessThan(ms);
  for (const kind of Object.keys(failureKinds)) expect(kind, `failure of: ${name}`).toMatch(kinds);
}
