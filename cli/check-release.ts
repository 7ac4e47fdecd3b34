import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildProblem, BuildSuccess } from '../builder/build.ts';
import { errorCatalogue, type ErrorCode } from '../runtime/contract/errors.ts';
import type { BootCheckEntry } from '../runtime/contract/ipc.ts';
import type { Manifest } from '../runtime/contract/manifest.ts';
import type { AppHost, ReleaseRef } from '../runtime/supervisor/app-host.ts';

/** A release of which every function was loaded once. */
export interface CheckedRelease {
  ok: true;
  ref: ReleaseRef;
  manifest: Manifest;
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
  /** Load even what is loaded already: the environment is another one. @default false */
  fresh?: boolean;
}

/**
 * Loads every function of `built` in a worker of `host` and writes what that told into the
 * release's manifest, which routing needs. The release is loaded afterwards, not active.
 */
export async function checkRelease(
  host: AppHost,
  built: BuildSuccess,
  options: CheckOptions,
): Promise<CheckedRelease | UncheckedRelease> {
  const ref: ReleaseRef = { release: built.release, releaseDir: built.dir, env: options.env };
  const { functions, ms } = await host.load(ref, { check: true, fresh: options.fresh ?? false });
  const failed = functions.filter((entry) => entry.error !== null);
  if (failed.length > 0) {
    await host.discard(built.release);
    return { ok: false, problems: await Promise.all(failed.map((entry) => problemOf(entry, { built, ...options }))) };
  }
  const inspections = new Map(functions.map((entry) => [entry.name, entry.inspection]));
  const withInspection = built.manifest.functions.map((fn) => ({
    ...fn,
    inspection: inspections.get(fn.name) ?? null,
  }));
  const manifest: Manifest = { ...built.manifest, functions: withInspection };
  await writeManifest(built.dir, manifest);
  return { ok: true, ref, manifest, ms };
}

async function writeManifest(dir: string, manifest: Manifest): Promise<void> {
  const path = join(dir, 'manifest.json');
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(temporary, path);
}

async function problemOf(
  entry: BootCheckEntry,
  { built, sourceDir }: { built: BuildSuccess; sourceDir: string },
): Promise<BuildProblem> {
  const error = entry.error ?? {
    code: 'FN_LOAD_FAILED',
    message: 'no reason given',
    file: null,
    line: null,
    column: null,
  };
  const file = error.file ?? built.manifest.functions.find((fn) => fn.name === entry.name)?.source ?? null;
  return {
    code: error.code in errorCatalogue ? (error.code as ErrorCode) : 'FN_LOAD_FAILED',
    message: error.message,
    file,
    line: error.line,
    column: error.column,
    lineText: file === null || error.line === null ? null : await lineOf(join(sourceDir, file), error.line),
    length: null,
    hint: null,
  };
}

async function lineOf(path: string, line: number): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  return text?.split(/\r?\n/)[line - 1] ?? null;
}
