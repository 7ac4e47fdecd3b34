import type { BuildProblem, BuildSuccess } from '../builder/build.ts';
import { problemOfEntry, warningsOf, writeInspections } from '../deploy/boot-check.ts';
import type { Manifest } from '../runtime/contract/manifest.ts';
import type { AppHost, ReleaseRef } from '../runtime/supervisor/app-host.ts';

/** A release of which every function was loaded once. */
export interface CheckedRelease {
  ok: true;
  ref: ReleaseRef;
  manifest: Manifest;
  /** About the settings that modules export, one line each. */
  notes: string[];
  ms: number;
}

/** Functions of it do not load. */
export interface UncheckedRelease {
  ok: false;
  problems: BuildProblem[];
}

/** Where the sources are, for the lines that problems show, and what the functions run with. */
export interface CheckOptions {
  sourceDir: string;
  env: Record<string, string>;
}

/**
 * Loads every function of `built` in a worker of `host` and writes what that told into the
 * release's manifest. The release is loaded afterwards, not active.
 */
export async function checkRelease(
  host: AppHost,
  built: BuildSuccess,
  { sourceDir, env }: CheckOptions,
): Promise<CheckedRelease | UncheckedRelease> {
  const ref: ReleaseRef = { release: built.release, releaseDir: built.dir, env };
  const { functions, ms } = await host.load(ref, { check: true });
  const failed = functions.filter((entry) => entry.error !== null);
  if (failed.length > 0) {
    await host.discard(built.release);
    const sources = { sourceDir, manifest: built.manifest };
    return { ok: false, problems: await Promise.all(failed.map((entry) => problemOfEntry(entry, sources))) };
  }
  const manifest = await writeInspections(built, functions, { durable: false });
  return { ok: true, ref, manifest, notes: warningsOf(functions), ms };
}
