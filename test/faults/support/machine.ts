import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** CPU time that is measured with, and what it takes on an idle machine of the kind that the promises are made for. */
const cpuMs = 100;
const idleMs = 170;

const used = '(({ user, system }) => user + system)(process.cpuUsage())';
const spin = `const before = ${used}; while (${used} - before < ${cpuMs * 1000});`;

/** How much longer a Node that computes for a moment takes now than on an idle machine; never below 1. */
export async function measureSlowness(): Promise<number> {
  const before = performance.now();
  await once(spawn(process.execPath, ['-e', spin], { env: {} }), 'exit');
  return Math.max(1, (performance.now() - before) / idleMs);
}

/**
 * What a promise of `ms` comes to on a machine as slow as that. Three times that, for others may have had the CPUs just
 * then; what it really took is in the table.
 */
export function allow(ms: number, { slowness }: { slowness: number }): number {
  return 3 * ms * slowness + 100;
}
