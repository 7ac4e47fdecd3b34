import type { ManagedApp, Running } from '../context.ts';
import { isAncestor, short } from '../git/refs.ts';
import type { Quarantine } from '../git/run.ts';
import { Rejection } from '../rejection.ts';
import { branchName } from './updates.ts';

/** The push that has come last. */
export interface Newer {
  id: string;
  commit: string;
  ref: string;
  quarantine: Quarantine | null;
}

/**
 * Ends the pushes that a newer one makes pointless: each that waits, and the one under way if the newer
 * one contains it. One that it does not contain is another's work, and goes first: the newer pusher is told
 * to pull then, as if they had been a second later. What is accepted, or runs its release command, is not touched.
 */
export async function supersede(app: ManagedApp, newer: Newer): Promise<void> {
  for (const older of app.running.values()) {
    const { id, source, ref } = older.deployment;
    if (id === newer.id || source !== 'push' || ref !== newer.ref) continue;
    // Half a migration is worse than a push that has to be repeated.
    if (older.deployment.step === 'command') continue;
    if (older.deployment.step === 'queued' || (await contains(app, { newer, older }))) older.stop(superseded(newer));
  }
}

async function contains(app: ManagedApp, { newer, older }: { newer: Newer; older: Running }): Promise<boolean> {
  const options = { repository: app.paths.repository, quarantine: newer.quarantine };
  // git fails when it has never heard of the older commit: it is not contained then.
  return await isAncestor(older.deployment.commit, newer.commit, options).catch(() => false);
}

function superseded({ commit, ref }: Newer): Rejection {
  return new Rejection(`by a newer push of ${branchName(ref) ?? ref} (${short(commit)}), which is deployed instead`, {
    label: 'superseded',
    record: `Superseded by a newer push (${short(commit)})`,
    state: 'cancelled',
  });
}
