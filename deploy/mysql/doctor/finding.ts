/** `critical`: data or access is at risk. `warning`: something to do. `note`: worth knowing, no call for action. */
export type Severity = 'critical' | 'warning' | 'note';

/** One thing that the doctor tells. */
export interface Finding {
  /** Stable name, for example `buffer-pool-misses`. */
  id: string;
  severity: Severity;
  what: string;
  /** The figures, where they are from, and the time that they cover. */
  measured: string;
  /** The exact statement, line or command. */
  todo: string;
}

/** Whether there is something to do: what cron wants to know. */
export function needsAction(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity !== 'note');
}

const order: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, note: 2 };

/** The gravest first; otherwise in the order of the checks. */
export function bySeverity(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => order[a.severity] - order[b.severity]);
}
