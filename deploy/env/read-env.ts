import type { EnvBody } from '../../router/control/types.ts';
import type { DeployContext, ManagedApp } from '../context.ts';

/** The current variables of an app; their values only when they are asked for. */
export async function readEnv(
  context: DeployContext,
  app: ManagedApp,
  { values, previews }: { values: boolean; previews: boolean },
): Promise<EnvBody> {
  const record = await context.store.getApp(app.name);
  const id = (previews ? record?.overlay : record?.env) ?? null;
  const found = await context.vault.describe({ app: app.name, id });
  if (!values) return { app: app.name, variables: found };
  const env = await context.vault.read({ app: app.name, id });
  return { app: app.name, variables: found.map((variable) => ({ ...variable, value: env[variable.name] ?? '' })) };
}
