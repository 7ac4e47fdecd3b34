import type { ErrorCode } from '../runtime/contract/errors.ts';

/** One problem of a build, in terms of the user's sources. */
export interface BuildProblem {
  /** Null: a warning that has no code of its own. */
  code: ErrorCode | null;
  message: string;
  /** From the app's root, `/`-separated. */
  file: string | null;
  /** 1-based. */
  line: number | null;
  /** 1-based, in UTF-16 units. */
  column: number | null;
  /** The source line. */
  lineText: string | null;
  /** Number of characters to underline from `column`. */
  length: number | null;
  /** The one thing to do. */
  hint: string | null;
}

/** Where a problem is, and what to do about it. */
export type ProblemPlace = Partial<Omit<BuildProblem, 'code' | 'message'>>;

/** A problem with everything unknown set to null. */
export function problem(code: ErrorCode | null, message: string, place: ProblemPlace = {}): BuildProblem {
  const nowhere = { file: null, line: null, column: null, lineText: null, length: null, hint: null };
  return { code, message, ...nowhere, ...place };
}

/** Ends a build from within a step; `build()` turns it into a failure. */
export class BuildStop extends Error {
  readonly problems: BuildProblem[];

  constructor(problems: BuildProblem[]) {
    super(problems[0]?.message ?? 'The build was stopped');
    this.name = 'BuildStop';
    this.problems = problems;
  }
}

/** By file, line, column and message; problems without a file first. */
export function sortProblems(problems: readonly BuildProblem[]): BuildProblem[] {
  const unique = new Map(problems.map((each) => [`${each.file}:${each.line}:${each.column}:${each.message}`, each]));
  return [...unique.values()].toSorted(
    (a, b) =>
      compareText(a.file ?? '', b.file ?? '') ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0) ||
      compareText(a.message, b.message),
  );
}

/** Order by UTF-16 units: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
