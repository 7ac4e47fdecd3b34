import { spawnSync } from 'node:child_process';

/** CPU time that is measured with, and what it takes on an idle machine of the kind that the promises are made for. */
const cpuMs = 100;
const idleMs = 170;

const used = '(({ user, system }) => user + system)(process.cpuUsage())';
const spin = `const before = ${used}; while (${used} - before < ${cpuMs * 1000});`;

/** How slow this machine is at the moment. */
export const machine = {
  /**
   * What a promise of `ms` comes to here and now: as much longer as starting a Node that computes for a moment takes
   * longer than on an idle machine. Three times that, for others may have had the CPUs just then; what it really took
   * is in the table.
   */
  allow(ms: number): number {
    const before = performance.now();
    spawnSync(process.execPath, ['-e', spin], { env: {} });
    const slowness = Math.max(1, (performance.now() - before) / idleMs);
    return 3 * ms * slowness + 100;
  },
};
