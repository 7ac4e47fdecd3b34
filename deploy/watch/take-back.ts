import type { DeployContext, ManagedApp, WatchStart } from '../context.ts';
import { Superseded, switchRelease } from '../rollback.ts';
import { watchRelease } from './watch-release.ts';

/** Watches a release that has just gone live; takes it back, and marks it, when it does far worse than the one before. */
export async function guardRelease(context: DeployContext, app: ManagedApp, start: WatchStart): Promise<void> {
  const { before, deployment } = start;
  const watching = watchRelease(context, app, {
    ...start,
    takeBack: async (reason) => {
      const bad = app.live?.release;
      try {
        await switchRelease(context, app, {
          source: 'auto-rollback',
          key: null,
          release: before.release,
          expected: deployment,
        });
      } catch (error) {
        if (error instanceof Superseded) return;
        throw error;
      }
      await context.store.updateDeployment(deployment, { note: `taken back: ${reason}` });
      const message = `release ${bad} was taken back for ${before.release}: ${reason}`;
      context.log(`${app.name}: ${message}`);
      app.log.write({ time: new Date(context.now()).toISOString(), level: 'error', app: app.name, message });
    },
  });
  await watching.catch((error: Error) => context.log(`${app.name}: its new release is not watched: ${error.message}`));
}
