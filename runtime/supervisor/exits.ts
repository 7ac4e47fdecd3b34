import { hostLimits } from '../contract/limits.ts';

/** Why a process ended. */
export interface ProcessEnd {
  /** In a few words that a client may see. */
  reason: string;
  /** What it said last on standard error. */
  lastWords: string | null;
}

/** How one app host ended. */
export interface HostExit {
  /** ISO 8601, UTC. */
  time: string;
  /** Why, in a few words that a client may see. */
  reason: string;
  /** What the process said last on standard error; null when it said nothing. */
  lastWords: string | null;
  /** How long it ran. */
  uptimeMs: number;
  /** Functions that had invocations when the daemon last asked (at most `hostLimits.pingMs` before), with their number. */
  inFlight: Record<string, number>;
}

/** What is kept of the end of a process that started at `startedAt`, by `performance.now()`. */
export function exitOf(
  startedAt: number,
  end: Pick<HostExit, 'reason' | 'lastWords'>,
  inFlight: HostExit['inFlight'],
): HostExit {
  const uptimeMs = Math.round(performance.now() - startedAt);
  return { time: new Date().toISOString(), ...end, uptimeMs, inFlight };
}

/** The last ends of one app's processes, newest first. */
export class Exits {
  #kept: readonly HostExit[] = [];

  add(exit: HostExit): void {
    this.#kept = [exit, ...this.#kept].slice(0, hostLimits.exitsKept);
  }

  get all(): readonly HostExit[] {
    return this.#kept;
  }

  /** The newest, in one line for the operator; null when none ended. */
  get last(): string | null {
    const [exit] = this.#kept;
    return exit === undefined ? null : describeExit(exit);
  }
}

/** `signal SIGKILL: Fatal …; in flight: report ×2`. */
export function describeExit({ reason, lastWords, inFlight }: HostExit): string {
  const busy = Object.entries(inFlight).map(([name, count]) => `${name} ×${count}`);
  const words = lastWords === null ? reason : `${reason}: ${lastWords}`;
  return busy.length === 0 ? words : `${words}; in flight: ${busy.join(', ')}`;
}
