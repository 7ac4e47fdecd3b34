import { spawnSync } from 'node:child_process';

/** CPU time that is measured with, and what it takes on an idle machine of the kind that the promises are made for. */
const cpuMs = 100;
const idleMs = 170;

const used = '(({ user, system }) => user + system)(process.cpuUsage())';
const spin = `const before = ${used}; while (${used} - before < ${cpuMs * 1000});`;

/** What this machine is like at the moment. */
export const machine = {
  /** How much longer a Node that computes for a moment takes than on an idle machine; never below 1. */
  slowness(): number {
    const before = performance.now();
    spawnSync(process.execPath, ['-e', spin], { env: {} });
    return Math.max(1, (performance.now() - before) / idleMs);
  },
  /**
   * What a promise of `ms` comes to here and now. Three times that, for others may have had the CPUs just then; what
   * it really took is in the table.
   */
  allow(ms: number): number {
    return 3 * ms * machine.slowness() + 100;
  },
};
