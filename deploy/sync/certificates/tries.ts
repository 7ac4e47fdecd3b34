import { domainLimits } from '../../../runtime/contract/limits.ts';

/** What became of the tries to get a certificate for one name, since the last that succeeded. */
export interface Tries {
  /** Times, newest last, ms since the epoch. */
  at: number[];
  failures: number;
  /** Not before, unless somebody asks. */
  nextAtMs: number;
  message: string;
  hint: string;
}

/** What is known of all names; kept between runs. */
export type TriesByName = Record<string, Tries>;

/** Whether it may be tried now: after its pause, or when somebody asked since, but not so often that the CA locks us out. */
export function mayTry(
  tries: Tries | undefined,
  { nowMs, askedAtMs }: { nowMs: number; askedAtMs: number | null },
): boolean {
  if (tries === undefined || nowMs >= tries.nextAtMs) return true;
  if (askedAtMs === null || askedAtMs <= (tries.at.at(-1) ?? 0)) return false;
  return tries.at.filter((at) => at > nowMs - 3_600_000).length < domainLimits.triesPerHour;
}

/** The tries with one more that failed. `counts`: whether the CA was asked; without, there is no pause. */
export function failedTry(
  before: Tries | undefined,
  {
    nowMs,
    retryAfterMs,
    counts,
    ...words
  }: { nowMs: number; retryAfterMs: number | null; counts: boolean; message: string; hint: string },
): Tries {
  if (!counts) return { at: before?.at ?? [], failures: before?.failures ?? 0, nextAtMs: nowMs, ...words };
  const { retryMs } = domainLimits;
  const failures = (before?.failures ?? 0) + 1;
  const pauseMs = retryAfterMs ?? retryMs[Math.min(failures, retryMs.length) - 1]!;
  const at = [...(before?.at ?? []), nowMs].slice(-domainLimits.triesPerHour);
  return { at, failures, nextAtMs: nowMs + pauseMs, ...words };
}

/** Reads what was kept; what cannot be read is forgotten. */
export function parseTries(text: string | null): TriesByName {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null ? (value as TriesByName) : {};
  } catch {
    return {};
  }
}
