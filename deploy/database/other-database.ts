import type { DeployContext, ManagedApp } from '../context.ts';
import { findRelease } from '../release-ref.ts';
import { addressIn, serverName } from './server.ts';

/**
 * The database of a release, as it can be shown, where it is another than that of what is live: a restore lies between
 * them, or a change of DATABASE_URL. Null: it is the same, or cannot be told.
 */
export async function otherDatabase(context: DeployContext, app: ManagedApp, release: string): Promise<string | null> {
  try {
    const { env } = await findRelease(context, app, release);
    const [there, here] = await Promise.all([
      databaseOf(context, app, env),
      databaseOf(context, app, app.live?.env ?? null),
    ]);
    return there === here ? null : there;
  } catch {
    // Whoever loads the release hears of it.
    return null;
  }
}

async function databaseOf(context: DeployContext, app: ManagedApp, id: string | null): Promise<string> {
  const address = addressIn(await context.vault.read({ app: app.name, id }), { env: 'DATABASE_URL' });
  return address === null ? 'none' : `${serverName(address)}/${address.database ?? ''}`;
}
