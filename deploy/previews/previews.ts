import { FnrunError } from '../../runtime/contract/errors.ts';
import { deployLimits } from '../../runtime/contract/limits.ts';
import type { Apps } from '../apps.ts';
import type { DeployContext, ManagedApp } from '../context.ts';
import { readRef } from '../git/refs.ts';
import { branchName } from '../push/updates.ts';
import { previewName } from './preview-name.ts';

/** What the operator says about previews. */
export interface PreviewPolicy {
  /** Of one app; 0: there are none. */
  perApp: number;
  /** Time without a connection after which one is removed, in ms. */
  idleMs: number;
}

/** The previews of all apps: each is a small app of its own that has its branch from the repository of another. */
export class Previews {
  readonly policy: PreviewPolicy;
  readonly #apps: Apps;
  readonly #context: DeployContext;
  readonly #timer: NodeJS.Timeout;

  constructor(apps: Apps, { context, policy }: { context: DeployContext; policy: PreviewPolicy }) {
    this.#apps = apps;
    this.#context = context;
    this.policy = policy;
    this.#timer = setInterval(() => void this.sweep(), deployLimits.previewSweepMs);
    this.#timer.unref();
  }

  /** Those of `app`, by name. */
  of(app: ManagedApp): ManagedApp[] {
    return this.#apps.list().filter((each) => each.previewOf === app.name);
  }

  /** The preview of a branch; null when it has none. */
  find(app: ManagedApp, ref: string): ManagedApp | null {
    return this.of(app).find((each) => each.production === ref) ?? null;
  }

  /** The preview of a branch, made when there is none. Rejects with FN_BUSY when the app has as many as it may. */
  async ensure(app: ManagedApp, ref: string): Promise<ManagedApp> {
    const known = this.find(app, ref);
    if (known !== null) return known;
    const branch = branchName(ref) ?? ref;
    const { perApp } = this.policy;
    const there = this.of(app);
    if (there.length >= perApp) {
      const oldest = there.toSorted((a, b) => a.usedAtMs - b.usedAtMs)[0];
      throw new FnrunError('FN_BUSY', `${app.name} has ${there.length} previews, and may have ${perApp}`, {
        hint: `delete a branch, for example: git push <remote> --delete ${branchName(oldest?.production ?? '') ?? branch}`,
      });
    }
    const plain = previewName(branch, { app: app.name });
    const name = this.#apps.find(plain) === null ? plain : previewName(branch, { app: app.name, marked: true });
    return await this.#apps.createPreview(name, { of: app, branch });
  }

  /** Removes what was not used for long, and what has lost its branch. */
  async sweep(): Promise<void> {
    const { policy } = this;
    const context = this.#context;
    for (const app of this.#apps.list()) {
      if (app.previewOf === null || app.running.size > 0 || context.signal.aborted) continue;
      try {
        // Its process ends when nobody is connected: until then somebody is.
        if (app.host.status().state === 'running') app.usedAtMs = context.now();
        await context.store.setUsed(app.name, app.usedAtMs);
        const idleMs = context.now() - app.usedAtMs;
        const branch = await readRef(app.paths.repository, app.production);
        const deploys = this.#apps.find(app.previewOf)?.production === app.production;
        if (branch === null) await this.#remove(app, 'its branch is gone');
        else if (deploys) await this.#remove(app, 'its branch is the one that deploys now');
        else if (idleMs > policy.idleMs) await this.#remove(app, `nobody asked for it for ${duration(idleMs)}`);
      } catch (error) {
        context.log(`${app.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  /** Removes the previews of these branches of `app`; those that have none are left out. */
  async removeOf(app: ManagedApp, refs: readonly string[]): Promise<void> {
    for (const ref of refs) {
      const preview = this.find(app, ref);
      if (preview !== null && (await readRef(app.paths.repository, ref)) === null) {
        await this.#remove(preview, 'its branch was deleted');
      }
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #remove(app: ManagedApp, why: string): Promise<void> {
    await this.#apps.remove(app.name);
    this.#context.log(`${app.name}: the preview is removed: ${why}`);
  }
}

function duration(ms: number): string {
  const hours = ms / 3_600_000;
  return hours >= 48
    ? `${Math.floor(hours / 24)} days`
    : hours >= 1
      ? `${Math.floor(hours)} h`
      : `${Math.floor(ms / 60_000)} min`;
}
