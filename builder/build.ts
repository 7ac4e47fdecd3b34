import type { Manifest } from '../runtime/contract/manifest.ts';
import type { ErrorCode } from '../runtime/contract/errors.ts';

/** What to build, and where its results go. */
export interface BuildOptions {
  /** The app's root: the folder that holds functions/. Never written to, except for nothing. */
  sourceDir: string;
  /** Folder of releases; the release becomes `<releasesDir>/<id>/`. */
  releasesDir: string;
  /** Folder that keeps bundles and installed dependencies between builds; made when absent. */
  cacheDir: string;
  /** Use `<sourceDir>/node_modules` as it is instead of installing (fnrun dev). @default false */
  useLocalModules?: boolean;
  signal?: AbortSignal;
  /** Called with each step's line while the build runs ("installing 14 packages"). */
  onProgress?: (line: string) => void;
}

/** One problem of a build, in terms of the user's sources. */
export interface BuildProblem {
  code: ErrorCode;
  message: string;
  /** From the app's root, `/`-separated. */
  file: string | null;
  /** 1-based. */
  line: number | null;
  /** 1-based. */
  column: number | null;
  /** The source line. */
  lineText: string | null;
  /** Number of characters to underline from `column`. */
  length: number | null;
  /** The one thing to do. */
  hint: string | null;
}

/** A release that lies complete in `dir`. */
export interface BuildSuccess {
  ok: true;
  release: string;
  dir: string;
  manifest: Manifest;
  warnings: BuildProblem[];
  /** Names of the functions whose hash differs from every release built before with this cache. */
  changed: string[];
  /** Time of each step, in ms. */
  timings: { discoverMs: number; installMs: number; bundleMs: number; writeMs: number; totalMs: number };
  /** The release existed already, byte for byte. */
  reused: boolean;
}

export interface BuildFailure {
  ok: false;
  problems: BuildProblem[];
  warnings: BuildProblem[];
}

export type BuildResult = BuildSuccess | BuildFailure;
