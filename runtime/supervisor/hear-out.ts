import type { ChildProcess } from 'node:child_process';
import { hostLimits } from '../contract/limits.ts';

/** Resolves when, after the `end` of a process, all that it sent over its channel has been received: that may be after its exit. */
export async function hearOut(child: ChildProcess, end: Promise<unknown>): Promise<void> {
  await end;
  if (!child.connected) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, hostLimits.hearOutMs);
    child.once('disconnect', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
