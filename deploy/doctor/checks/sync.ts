import type { SyncOutcome } from '../../../router/control/domain-types.ts';
import { doctorLimits } from '../../../runtime/contract/limits.ts';
import type { Finding } from '../../mysql/doctor/finding.ts';
import { shell, type MachineCheck } from '../check.ts';

const look = `
[ -d "$1/run" ] || { echo none; exit 0; }
[ -r "$1/run" ] || { echo closed; exit 0; }
date +%s
head -c 16 "$1/run/sync" 2>/dev/null | tr -cd 0-9; echo
stat -c %Y "$1/run/sync" 2>/dev/null || echo
sed -n 's/^ *"request": *\\([0-9]*\\).*/\\1/p' "$1/run/sync-served.json" 2>/dev/null | head -n 1 | grep . || echo
cat "$1/run/sync.json" 2>/dev/null`;

/** Whether root's side, which looks after nginx, certificates and databases, does what it is asked, and what it could not do. */
export const syncCheck: MachineCheck = {
  id: 'sync',
  async check(context) {
    if (context.wishes === null) return { skipped: 'nothing here looks after nginx' };
    const text = await shell(context, look, context.places.home);
    if (/^(?:none|closed)/.test(text)) return { skipped: `${context.places.home}/run is not there, or not to be read` };
    const state = readSync(text);
    return {
      findings: judgeSync(state),
      seen: state.outcome === null ? 'never' : `${Math.round(state.minutes)} min ago`,
    };
  },
};

/** How root's side stands. */
export interface SyncState {
  /** What it did last; null: nothing yet. */
  outcome: SyncOutcome | null;
  /** Since then. */
  minutes: number;
  /** Since it was asked for something that nginx has not followed; null: there is no such thing. */
  waitingMinutes: number | null;
}

/** Reads the time now, the number that was asked for, when that was, the one that nginx has followed, and the outcome. */
export function readSync(text: string): SyncState {
  const [now = '', asked = '', askedAt = '', served = '', ...rest] = text.split('\n');
  const outcome = parseOutcome(rest.join('\n'));
  const minutesSince = (seconds: number): number => (Number(now) - seconds) / 60;
  const done = Math.max(outcome?.request ?? 0, Number(served));
  const waits = asked !== '' && askedAt !== '' && Number(asked) > done;
  return {
    outcome,
    minutes: outcome === null ? Infinity : minutesSince(Date.parse(outcome.finishedAt) / 1_000),
    waitingMinutes: waits ? minutesSince(Number(askedAt)) : null,
  };
}

export function judgeSync({ outcome, minutes, waitingMinutes }: SyncState): Finding[] {
  const todo = 'systemctl status fnrun-sync.path fnrun-sync.timer; journalctl -u fnrun-sync -n 50';
  const findings: Finding[] = [];
  if (waitingMinutes !== null && waitingMinutes > doctorLimits.syncMinutes) {
    findings.push({
      id: 'sync-waits',
      severity: 'critical',
      what: 'a change of names or apps has not reached nginx',
      measured: `run/sync has been waiting for ${Math.round(waitingMinutes)} min`,
      todo,
    });
  } else if (minutes > doctorLimits.syncEveryMinutes) {
    findings.push({
      id: 'sync-stands-still',
      severity: 'warning',
      what: 'certificates are not renewed: what does that has not run lately',
      measured: outcome === null ? 'there is no run/sync.json' : `run/sync.json: ${Math.round(minutes)} min ago`,
      todo,
    });
  }
  const problems = (outcome?.parts ?? []).flatMap((part) => part.problems.map((one) => ({ ...one, part: part.id })));
  for (const { part, app, subject, message, hint } of problems.slice(0, doctorLimits.syncProblems)) {
    findings.push({
      id: `sync-${part}`,
      severity: 'warning',
      what: `${subject}${app === null ? '' : ` of ${app}`}: ${message}`,
      measured: 'run/sync.json, what fnrun server sync did last',
      todo: hint ?? todo,
    });
  }
  if (problems.length > doctorLimits.syncProblems) {
    findings.push({
      id: 'sync-more',
      severity: 'note',
      what: `${problems.length - doctorLimits.syncProblems} more like these`,
      measured: 'run/sync.json',
      todo: 'journalctl -u fnrun-sync -n 200',
    });
  }
  return findings;
}

/** Null: there is none, or it cannot be read. */
function parseOutcome(text: string): SyncOutcome | null {
  try {
    const value = JSON.parse(text) as SyncOutcome;
    return Array.isArray(value.parts) ? value : null;
  } catch {
    return null;
  }
}
