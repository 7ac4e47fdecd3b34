/** The middle value; of an even number, the mean of the two. */
export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Linear interpolation between the closest ranks. */
export function percentile(values: readonly number[], percent: number): number {
  return percentiles(values, [percent])[0]!;
}

/** Several of them, sorting once. */
export function percentiles(values: readonly number[], percents: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  return percents.map((percent) => {
    const at = ((sorted.length - 1) * percent) / 100;
    const low = sorted[Math.floor(at)] ?? Number.NaN;
    const high = sorted[Math.ceil(at)] ?? Number.NaN;
    return low + (high - low) * (at - Math.floor(at));
  });
}

/** Rounded for people: three significant digits, whole from a hundred on. */
export function round(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
