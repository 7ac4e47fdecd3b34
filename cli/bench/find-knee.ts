import { benchLimits } from '../../runtime/contract/limits.ts';

/** Whether a server carries a rate: the part of a step that the search looks at. */
export interface Verdict {
  /** Requests a second. */
  rate: number;
  holds: boolean;
}

export interface FindKneeOptions<Step extends Verdict> {
  /** What the server did when it was given as much as it took: where to look. */
  peak: number;
  maxRate: number;
  /** Offers a rate. */
  measure: (rate: number) => Promise<Step>;
}

/** The highest rate that held, and the lowest above it that did not; null: none. */
export interface Knee<Step extends Verdict> {
  held: Step | null;
  failed: Step | null;
}

/** Fractions of the peak; beyond the last each step is `climb` times the one before. */
const fractions = [0.25, 0.5, 0.75, 0.9, 1, 1.15];
const climb = 1.5;

/**
 * Offers rising rates until one does not hold twice, then halves the gap. A step that does not hold is repeated, so that
 * one hiccup of the machine is not taken for the knee. Ends after `benchLimits.steps`.
 */
export async function findKnee<Step extends Verdict>(options: FindKneeOptions<Step>): Promise<Knee<Step>> {
  const { peak, maxRate } = options;
  let left = benchLimits.steps;
  const knee: Knee<Step> = { held: null, failed: null };
  const tryRate = async (rate: number): Promise<boolean> => {
    const wanted = Math.max(1, Math.min(maxRate, rate));
    let step = await options.measure(wanted);
    left--;
    if (!step.holds && left > 0) {
      step = await options.measure(wanted);
      left--;
    }
    if (step.holds) knee.held = step;
    else knee.failed = step;
    return step.holds;
  };

  let rate = peak * fractions[0]!;
  for (let at = 1; left > 0 && (await tryRate(rate)); at++) {
    if (rate >= maxRate) return knee;
    rate = at < fractions.length ? peak * fractions[at]! : rate * climb;
  }
  while (left > 0 && knee.failed !== null) {
    // Nothing has held: further down, by quarters.
    const low = knee.held?.rate ?? 0;
    const next = knee.held === null ? knee.failed.rate / 4 : (low + knee.failed.rate) / 2;
    if (next < 1 || (knee.failed.rate - low) / knee.failed.rate <= benchLimits.kneeWithin) break;
    await tryRate(next);
  }
  return knee;
}
