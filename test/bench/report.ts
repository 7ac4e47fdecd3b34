import type { Need } from './tools.ts';

/** What the design asks of a figure: at least or at most this much, in the figure's unit. */
export interface Target {
  least?: number;
  most?: number;
}

/** One figure of a benchmark. */
export interface Figure {
  case: string;
  /** What was measured, for example `throughput`. */
  name: string;
  /** Whose figure it is. */
  side: string;
  /** For a ratio: what `side` is divided by. */
  over?: string;
  value: number;
  /** `x` for a ratio. */
  unit: string;
  /** How many rounds or samples the value is made of. */
  samples: number;
  /** The value of each round, where the value is their median. */
  rounds?: number[];
  target?: Target;
}

/** A side that could not take part. */
export interface NotMeasured {
  case: string;
  side: string;
  why: string;
}

/** What a case may do: its rounds, and how it tells its figures. */
export interface BenchContext {
  /** Rounds of a comparison. @default 5 */
  rounds: number;
  /** How long one side is under load in one round. @default what the case says */
  seconds?: number;
  /** Folder for CPU profiles of fnrun's side, which is then measured alone. */
  profile?: string;
  say: (line: string) => void;
  report: (figure: Figure) => void;
  missing: (entry: NotMeasured) => void;
}

/** One benchmark, run by its name. */
export interface BenchCase {
  name: string;
  summary: string;
  /** What it needs beside Node and git. */
  needs: readonly Need[];
  run: (context: BenchContext) => Promise<void>;
}

/** The name of the product's side in every figure. */
export const own = 'fnrun';

/** `fnrun / node:http throughput`, `fnrun first call p50`. */
export function titleOf({ side, over, name }: Figure): string {
  return over === undefined ? `${side} ${name}` : `${name}, ${side} / ${over}`;
}

/** `>= 0.9`, `<= 15`; empty without a target. */
export function textOf(target: Target | undefined): string {
  if (target === undefined) return '';
  return target.least === undefined ? `<= ${target.most}` : `>= ${target.least}`;
}

/** Whether the figure is what its target asks for; null without one. */
export function isMet({ value, target }: Pick<Figure, 'value' | 'target'>): boolean | null {
  if (target === undefined) return null;
  return value >= (target.least ?? -Infinity) && value <= (target.most ?? Infinity);
}
