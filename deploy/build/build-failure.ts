import type { BuildFailure } from '../../builder/build.ts';
import { problem } from '../../builder/problem.ts';
import { buildLimits } from '../../runtime/contract/limits.ts';

/** Why a build process ended before its build did. */
export interface BuildEnd {
  code: 'FN_BUILD_DIED' | 'FN_BUILD_LIMIT' | 'FN_BUILD_TIMEOUT';
  /** Completes "the build was ended: …". */
  why: string;
  /** What it wrote last. */
  output?: string;
}

const hints: Record<BuildEnd['code'], string> = {
  FN_BUILD_DIED: 'push again: the next build has another process; what was live goes on',
  FN_BUILD_LIMIT: 'build less at once, or have the operator of the server raise "builds" in its config.json',
  FN_BUILD_TIMEOUT: 'push again; if it happens again, look at what the app bundles',
};

/** The build's result when its process has ended. */
export function failureOf({ code, why, output = '' }: BuildEnd): BuildFailure {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const message = [`The build was ended: ${why}`, ...lines.slice(-buildLimits.processLinesShown)].join('\n');
  return { ok: false, problems: [problem(code, message, { hint: hints[code] })], warnings: [] };
}

/** Tells how a process ended, as the kernel or the shell in a jail says it. */
export function describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
  // bwrap ends with 128 and the number of the signal that its command was killed by.
  const killed = signal === 'SIGKILL' || code === 137;
  if (killed) return 'its process was killed, by the kernel for want of memory or by somebody';
  return signal === null ? `its process ended with exit code ${code}` : `its process was killed by ${signal}`;
}
