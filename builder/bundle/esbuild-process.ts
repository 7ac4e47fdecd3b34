import { stop, transform } from 'esbuild';
import { buildLimits } from '../../runtime/contract/limits.ts';

let active = 0;
let idleTimer: NodeJS.Timeout | null = null;

/**
 * Runs something that uses esbuild's process, which ends after `esbuildIdleMs` without work: it keeps
 * the memory of the largest build (80 MB for twenty small functions), and is back in 30 ms.
 */
export async function withEsbuild<T>(work: () => Promise<T>): Promise<T> {
  if (idleTimer !== null) clearTimeout(idleTimer);
  idleTimer = null;
  active++;
  try {
    return await work();
  } finally {
    active--;
    if (active === 0) {
      idleTimer = setTimeout(() => void stop(), buildLimits.esbuildIdleMs);
      idleTimer.unref();
    }
  }
}

/** Has esbuild's process started, for a build that is about to come. */
export function startEsbuild(): void {
  // What is wrong with it, the build will tell.
  withEsbuild(() => transform('')).catch(() => {});
}
