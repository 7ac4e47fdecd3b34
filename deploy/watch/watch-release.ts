import { deployLimits } from '../../runtime/contract/limits.ts';
import type { HostStats } from '../../runtime/contract/ipc.ts';
import type { Manifest } from '../../runtime/contract/manifest.ts';
import { describeError } from '../account/lines.ts';
import type { DeployContext, LiveRelease, ManagedApp } from '../context.ts';
import { findRelease, readBuildManifest, releaseDir } from '../release-ref.ts';
import { changedFunctions, talliesOf } from './tallies.ts';
import { verdict } from './verdict.ts';

/** What is watched, and what for. */
export interface WatchOptions {
  /** What was live until now, and how its functions did. */
  before: LiveRelease;
  stats: HostStats | null;
  /** Takes the release back; called once at most, with the reason. */
  takeBack: (reason: string) => Promise<void>;
}

/**
 * Watches the live release for its first minute, and has it taken back when it does far worse than the one before
 * (see verdict.ts). Ends with the next deployment. The daemon's end ends it too: a release is watched once.
 */
export async function watchRelease(context: DeployContext, app: ManagedApp, options: WatchOptions): Promise<void> {
  app.unwatch?.();
  const { live } = app;
  if (live === null) return;
  const { before, stats, takeBack } = options;
  const [old, now] = await Promise.all([before, live].map(({ release }) => manifestOf(context, app, release)));
  if (old == null || now == null || now.autoRollback === false || app.live !== live) return;
  // With other variables every function may do otherwise.
  const names = changedFunctions(old, now, { all: before.env !== live.env });
  const then = talliesOf(stats, { release: before.release, names });
  const since = new Date().toISOString();
  const until = performance.now() + deployLimits.watchMs;
  const timer = setInterval(() => void look(), deployLimits.watchEveryMs);
  timer.unref();
  const stop = (): void => clearInterval(timer);
  app.unwatch = stop;

  async function look(): Promise<void> {
    if (performance.now() > until || app.live !== live || context.signal.aborted) return stop();
    const figures = await app.host.stats().catch(() => null);
    const after = talliesOf(figures, { release: live!.release, names });
    const crashes = app.host.status().exits.filter(({ time }) => time > since).length;
    const reason = verdict({ before: then, after, crashes });
    if (reason === null || app.live !== live) return;
    stop();
    try {
      await takeBack(reason);
    } catch (error) {
      context.log(
        `${app.name}: release ${live!.release} does badly (${reason}) and cannot be taken back: ${told(error)}`,
      );
    }
  }
}

function told(error: unknown): string {
  return describeError(error).line;
}

async function manifestOf(context: DeployContext, app: ManagedApp, release: string): Promise<Manifest | null> {
  try {
    return await readBuildManifest(releaseDir(app, await findRelease(context, app, release)));
  } catch {
    return null;
  }
}
