import { spawnSync } from 'node:child_process';

/** What starting Node takes on an idle machine of the kind that the promises are made for. */
const idleStartMs = 60;

/** How slow this machine is at the moment. */
export const machine = {
  /**
   * What a promise of `ms` comes to here and now: as much longer as starting a bare Node takes longer than on
   * an idle machine, and a moment for the test's own requests.
   */
  allow(ms: number): number {
    const before = performance.now();
    spawnSync(process.execPath, ['-e', '0'], { env: {} });
    const slowness = Math.max(1, (performance.now() - before) / idleStartMs);
    return ms * slowness + 100;
  },
};
