/** One figure of a benchmark. */
export interface Figure {
  case: string;
  /** What was measured; for a comparison, `fnrun / peer`. */
  name: string;
  value: number;
  /** `x` for a ratio. */
  unit: string;
  /** How many rounds or samples the median is of. */
  samples: number;
  /** What the design asks for, in words; absent where it asks for nothing. */
  target?: string;
}

/** What a case may do: its rounds, and how it tells its figures. */
export interface BenchContext {
  /** Rounds of a throughput comparison. @default 5 */
  rounds: number;
  /** Folder for CPU profiles of fnrun's side. */
  profile?: string;
  say: (line: string) => void;
  report: (figure: Figure) => void;
}

/** One benchmark, run by its name. */
export interface BenchCase {
  name: string;
  summary: string;
  /** Needs the load generator. */
  load: boolean;
  run: (context: BenchContext) => Promise<void>;
}
