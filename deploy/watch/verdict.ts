import { deployLimits } from '../../runtime/contract/limits.ts';

/** How often a function was asked, and how often that went wrong: it failed, timed out, or answered 5xx. */
export interface Tally {
  requests: number;
  failed: number;
}

/** What is known of a new release, by the functions that it changes. */
export interface Observation {
  /** Of the release before it, since that one went live. */
  before: ReadonlyMap<string, Tally>;
  after: ReadonlyMap<string, Tally>;
  /** Times that the app's process has ended by itself since the switch. */
  crashes: number;
}

/**
 * Why a release is to be taken back; null: it is not. A function speaks against its release when enough requests
 * of it failed, in number and in share, and their share is many times what it was before. Functions that were not
 * there before have nothing to go back to, and one that mostly failed before cannot get far worse.
 */
export function verdict({ before, after, crashes }: Observation): string | null {
  const {
    watchCrashes,
    watchRequestsMin,
    watchFailuresMin,
    watchRateMin,
    watchRateFactor,
    watchRateFloor,
    watchRateBefore,
  } = deployLimits;
  if (crashes >= watchCrashes) return `its process ended ${crashes} times`;
  for (const [name, now] of after) {
    const then = before.get(name);
    if (then === undefined || now.requests < watchRequestsMin || now.failed < watchFailuresMin) continue;
    const most = Math.max(watchRateMin, watchRateFactor * Math.max(rate(then), watchRateFloor));
    if (rate(then) > watchRateBefore || rate(now) < Math.min(most, 1)) continue;
    const was = then.requests === 0 ? 'it had none before' : `${then.failed} of ${then.requests} before`;
    return `${now.failed} of ${now.requests} requests of ${name} failed, ${was}`;
  }
  return null;
}

function rate({ requests, failed }: Tally): number {
  return requests === 0 ? 0 : failed / requests;
}
