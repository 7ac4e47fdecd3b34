import { setTimeout as sleep } from 'node:timers/promises';
import { appDatabaseLimits, domainLimits } from '../../../runtime/contract/limits.ts';
import type { DeployContext } from '../../context.ts';

/**
 * Asks root for what only root can give a new app, and waits for its variables, so that its first push has a database. Resolves
 * too when root is done without, where nobody looks, and after `appDatabaseLimits.newAppMs`: the app is there all the same.
 */
export async function awaitDatabase(
  context: Pick<DeployContext, 'root' | 'store' | 'signal'>,
  app: string,
): Promise<void> {
  const request = await context.root.ask();
  if (request === null) return;
  const endsAt = performance.now() + appDatabaseLimits.newAppMs;
  while (performance.now() < endsAt && !context.signal.aborted) {
    if ((await context.store.getApp(app))?.env != null) return;
    if (((await context.root.served())?.request ?? 0) >= request) return;
    await sleep(domainLimits.outcomePollMs);
  }
}
