import type { DeployContext, ManagedApp } from '../context.ts';
import type { EnvChange } from '../env/vault.ts';

/**
 * The variables of a preview as a version of its own: those of its app, over them what the app sets for all its
 * previews, over them what was set for this one. Rejects with FN_SECRET_KEY.
 */
export async function previewEnv(context: DeployContext, preview: ManagedApp): Promise<string | null> {
  const { store, vault } = context;
  const app = preview.previewOf ?? preview.name;
  const [of, own] = [await store.getApp(app), await store.getApp(preview.name)];
  const layers = [
    { app, id: of?.env ?? null },
    { app, id: of?.overlay ?? null },
    { app: preview.name, id: own?.overlay ?? null },
  ];
  const values = await Promise.all(layers.map((layer) => vault.read(layer)));
  return await vault.change({ app: preview.name, id: null }, { set: Object.assign({}, ...values), unset: [] });
}

/** Before a push of its branch: what was set for the app meanwhile holds for the preview too. */
export async function refreshPreviewEnv(
  context: DeployContext,
  { app, preview }: { app: ManagedApp; preview: ManagedApp },
): Promise<void> {
  const id = await previewEnv(context, preview);
  await context.store.useEnv(preview.name, id);
  // The pusher's account is the app's, and keeps the preview's values to itself as well.
  const env = await context.vault.read({ app: preview.name, id });
  app.redaction.cover(id, { env, live: app.live?.env ?? null });
}

/** Changes what an app sets for all its previews, or a preview for itself. Resolves to whether that is other than before. */
export async function changeOverlay(context: DeployContext, app: ManagedApp, change: EnvChange): Promise<boolean> {
  const before = (await context.store.getApp(app.name))?.overlay ?? null;
  const overlay = await context.vault.change({ app: app.name, id: before }, change);
  await context.store.useOverlay(app.name, overlay);
  return overlay !== before;
}
