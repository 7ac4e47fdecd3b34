import { findingLine, verdict } from '../mysql/doctor/report.ts';
import type { DoctorContext } from './check.ts';
import type { Diagnosis } from './run-checks.ts';

/** A line of the machine, one for each finding, the verdict, and one of what was left out. `all`: also what was well. */
export function renderDiagnosis(
  { findings, seen, trips: others, skipped, looked }: Diagnosis,
  { context, all }: { context: DoctorContext; all: boolean },
): string[] {
  const { 'round-trips': ways = '', ...told } = seen;
  const trips = [...(ways === '' ? [] : [ways]), ...others].join(', ');
  const left = Object.entries(skipped);
  const grouped = Map.groupBy(left, ([, why]) => why);
  const reasons = [...grouped].map(([why, entries]) => `${namesOf(entries.map(([id]) => id))} (${why})`);
  return [
    headOf(context),
    ...(trips === '' ? [] : [`round trips: ${trips}`]),
    ...findings.map(findingLine),
    ...(all ? Object.entries(told).map(([id, what]) => `seen     ${id}: ${what}`) : []),
    `${verdict(findings)}; ${looked} things looked at`,
    ...(left.length === 0 ? [] : [`left out ${left.length}: ${reasons.join(', ')}`]),
  ];
}

function headOf({ machine, facts, wishes }: DoctorContext): string {
  const kind = wishes === null ? 'not set up by fnrun server setup' : 'set up by fnrun';
  const system = [facts.os, facts.version].filter((word) => word !== '').join(' ');
  return `${machine.name}: ${system === '' ? 'no Linux that is known' : system}, ${facts.cores} cores, ${facts.memoryMb} MB, ${kind}`;
}

/** The steps of setup are many, and left out together. */
function namesOf(ids: readonly string[]): string {
  const steps = ids.filter((id) => id.startsWith('setup-'));
  const others = ids.filter((id) => !id.startsWith('setup-'));
  return [
    ...others,
    ...(steps.length === 0 ? [] : steps.length === 1 ? steps : [`${steps.length} steps of setup`]),
  ].join(', ');
}
