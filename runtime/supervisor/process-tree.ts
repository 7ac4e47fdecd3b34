import { setTimeout as delay } from 'node:timers/promises';
import { hostLimits } from '../contract/limits.ts';

/** A process that leads a session of its own, and those that came from it. */
export interface ProcessTree {
  readonly pid: number;
  /** Ids of all that came from it, as they are now. */
  descendants: () => number[];
}

/** Stops all of it: what is stopped starts nothing, so that all there is can be found and ended. */
export function freezeTree({ pid, descendants }: ProcessTree): void {
  signal(pid, 'SIGSTOP');
  let found = 0;
  for (let round = 0; round < hostLimits.killRounds; round++) {
    const all = descendants();
    if (all.length === found) return;
    found = all.length;
    for (const one of all) signal(one, 'SIGSTOP');
  }
}

/** Kills what the process has left behind. */
export async function killRest({ pid, descendants }: ProcessTree): Promise<void> {
  for (let round = 0; round < hostLimits.killRounds; round++) {
    // A group whose leader has gone keeps its number as long as it has members.
    signal(-pid, 'SIGKILL');
    const left = descendants();
    for (const one of left) signal(one, 'SIGKILL');
    if (left.length === 0) return;
    await delay(hostLimits.killRoundMs);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  // 0 and -1 are groups that we belong to, or everybody.
  if (Math.abs(pid) <= 1) return;
  try {
    process.kill(pid, name);
  } catch {
    // It is gone.
  }
}
