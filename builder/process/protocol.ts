import type { BuildOptions, BuildResult } from '../build.ts';
import type { NpmRequest, NpmResult } from '../dependencies/npm.ts';

/** What a build process is told. Every message is JSON. */
export type ToBuilder =
  | { type: 'build'; id: number; options: Omit<BuildOptions, 'signal' | 'onProgress' | 'runNpm'> }
  | { type: 'abort'; id: number }
  /** How the run of npm that was asked for under `run` ended; null: there is no npm. `error`: it could not be run. */
  | { type: 'npm-done'; run: number; result: NpmResult | null; error: string | null };

/** What it says. Whoever reads this must not trust it: the process reads what strangers wrote. */
export type FromBuilder =
  | { type: 'ready' }
  | { type: 'progress'; id: number; line: string }
  | { type: 'result'; id: number; result: BuildResult }
  /** The build rejected: an abort, a full disk, a fault of ours. */
  | { type: 'failed'; id: number; message: string; stack: string | null }
  /** The network is not for this process: npm runs in another one, that the daemon starts. */
  | { type: 'npm'; id: number; run: number; request: NpmRequest }
  | { type: 'npm-abort'; run: number };
