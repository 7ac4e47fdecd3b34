import { rm } from 'node:fs/promises';
import { build, type BuildProblem, type BuildSuccess } from '../../builder/build.ts';
import { buildLimits } from '../../runtime/contract/limits.ts';
import type { Manifest } from '../../runtime/contract/manifest.ts';
import type { AppHost } from '../../runtime/supervisor/app-host.ts';
import { checkRelease } from '../check-release.ts';
import { readEnv } from '../read-env.ts';
import type { DevDatabase } from './database/dev-database.ts';
import type { Workspace } from './workspace.ts';

/** What came of one build. */
export type Reload =
  | {
      kind: 'live';
      manifest: Manifest;
      changed: string[];
      /** Whether `.env` changed: then every function has new workers. */
      env: boolean;
      warnings: BuildProblem[];
      notes: string[];
      buildMs: number;
      totalMs: number;
    }
  | { kind: 'unchanged'; totalMs: number }
  | { kind: 'failed'; problems: BuildProblem[]; warnings: BuildProblem[]; serving: boolean };

export interface ReloaderOptions {
  /** The app's root. */
  dir: string;
  workspace: Workspace;
  host: AppHost;
  database: DevDatabase;
  onStart: () => void;
  onDone: (reload: Reload) => void;
  /** Something that is no problem of the app: the disk is full, the host does not start. */
  onError: (error: unknown) => void;
}

/** Builds, checks and activates whenever asked, one at a time; asked again meanwhile, once more afterwards. */
export interface Reloader {
  /** Resolves when no build runs or waits any more. */
  request(): Promise<void>;
  /** Stops the running build and starts no other. */
  close(): Promise<void>;
}

export function createReloader(options: ReloaderOptions): Reloader {
  const stopping = new AbortController();
  const attempt = createAttempt(options, stopping.signal);
  let running: Promise<void> | null = null;
  let asked = false;

  const loop = async (): Promise<void> => {
    while (asked && !stopping.signal.aborted) {
      asked = false;
      options.onStart();
      try {
        options.onDone(await attempt());
      } catch (error) {
        if (!stopping.signal.aborted) options.onError(error);
      }
    }
    running = null;
  };

  return {
    request: () => {
      asked = true;
      return (running ??= loop());
    },
    close: async () => {
      stopping.abort();
      await running;
    },
  };
}

/** One build after the other, each knowing what the one before it made live. */
function createAttempt(options: ReloaderOptions, signal: AbortSignal): () => Promise<Reload> {
  const { dir, workspace, host, database } = options;
  const kept: BuildSuccess[] = [];
  let live: { release: string; env: string; hashes: Map<string, string> } | null = null;

  return async () => {
    const startedAt = performance.now();
    const [ownEnv, built] = await Promise.all([readEnv(dir), buildOnce(dir, { workspace, signal })]);
    if (!built.ok) return { kind: 'failed', ...built, serving: live !== null };
    const failed = (problems: BuildProblem[]): Reload => ({
      kind: 'failed',
      problems,
      warnings: built.warnings,
      serving: live !== null,
    });
    const env = await database.envFor(ownEnv, built);
    const hashes = new Map(built.manifest.functions.map((fn) => [fn.name, fn.hash]));
    const wanted = { release: built.release, env: JSON.stringify(env), hashes };
    const otherEnv = live !== null && live.env !== wanted.env;
    if (live?.release === wanted.release && !otherEnv) {
      const problems = await database.migrate(env, built);
      if (problems.length > 0) return failed(problems);
      return { kind: 'unchanged', totalMs: performance.now() - startedAt };
    }
    const checked = await checkRelease(host, built, { sourceDir: dir, env });
    if (!checked.ok) return failed(checked.problems);
    // As a push does it: what does not load must not have changed the database.
    const problems = await database.migrate(env, built);
    if (problems.length > 0) {
      await host.discard(built.release);
      return failed(problems);
    }
    await host.activate(checked.ref);
    const changed = [...hashes.keys()].filter((name) => live?.hashes.get(name) !== hashes.get(name));
    live = wanted;
    await retire(kept, built);
    return {
      kind: 'live',
      manifest: checked.manifest,
      changed,
      env: otherEnv,
      warnings: built.warnings,
      notes: checked.notes,
      buildMs: built.timings.totalMs,
      totalMs: performance.now() - startedAt,
    };
  };
}

async function buildOnce(dir: string, { workspace, signal }: { workspace: Workspace; signal: AbortSignal }) {
  const { releasesDir, cacheDir } = workspace;
  return await build({ sourceDir: dir, releasesDir, cacheDir, useLocalModules: true, signal });
}

/** Removes the release that has been live longest ago, once there are more than a server would keep. */
async function retire(kept: BuildSuccess[], built: BuildSuccess): Promise<void> {
  const known = kept.findIndex((other) => other.release === built.release);
  if (known !== -1) kept.splice(known, 1);
  kept.push(built);
  if (kept.length <= buildLimits.releasesKept) return;
  const oldest = kept.shift();
  if (oldest !== undefined) await rm(oldest.dir, { recursive: true, force: true });
}
