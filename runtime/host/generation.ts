import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { join } from 'node:path';
import type { BootCheckEntry } from '../contract/ipc.ts';
import { resolveDatabases } from '../contract/database.ts';
import { FnrunError } from '../contract/errors.ts';
import { manifestName } from '../contract/manifest.ts';
import type { Manifest, ManifestFunction } from '../contract/manifest.ts';
import type { Assignment } from '../channel/frames.ts';
import { createMatcher } from '../../router/match.ts';
import type { Matcher } from '../../router/match.ts';
import { createStatic } from '../../router/static.ts';
import type { StaticFiles } from '../../router/static.ts';
import { FunctionSlot } from './function-slot.ts';
import type { SlotServices } from './slot-services.ts';

/** A release on disk with its environment, as the daemon names it. */
export interface GenerationSource {
  app: string;
  release: string;
  releaseDir: string;
  env: Record<string, string>;
}

/** One release in memory: its routes, and a slot for each function. */
export class Generation {
  readonly source: GenerationSource;
  readonly manifest: Manifest;
  readonly slots = new Map<string, FunctionSlot>();
  readonly static: StaticFiles;
  readonly #dev: boolean;
  #matcher: Matcher | null = null;

  constructor(source: GenerationSource, { manifest, services }: { manifest: Manifest; services: SlotServices }) {
    this.source = source;
    this.manifest = manifest;
    this.#dev = services.isDev();
    this.static = createStatic(join(source.releaseDir, 'public'), manifest.public);
    for (const fn of manifest.functions) {
      this.slots.set(fn.name, new FunctionSlot(fn, { assignment: this.#assignment(fn), services }));
    }
  }

  get matcher(): Matcher {
    return (this.#matcher ??= createMatcher(this.manifest.functions));
  }

  /** What the worker of each of these functions is told. */
  assignments(functions: readonly ManifestFunction[]): Assignment[] {
    return functions.map((fn) => this.#assignment(fn));
  }

  /** Takes the inspections of a boot check; routes depend on them. */
  inspected(entries: readonly BootCheckEntry[]): void {
    const byName = new Map(entries.map((entry) => [entry.name, entry.inspection]));
    for (const fn of this.manifest.functions) fn.inspection = byName.get(fn.name) ?? fn.inspection;
    this.#matcher = null;
  }

  slotOf(fn: ManifestFunction): FunctionSlot {
    return this.slots.get(fn.name)!;
  }

  /** Whether a worker of `old` may go on serving as one of ours. */
  sameCode(fn: ManifestFunction, old: Generation): boolean {
    const before = old.slots.get(fn.name)?.fn;
    return (
      before !== undefined &&
      before.hash === fn.hash &&
      before.route === fn.route &&
      isDeepStrictEqual(old.source.env, this.source.env) &&
      isDeepStrictEqual(old.manifest.database, this.manifest.database)
    );
  }

  #assignment(fn: ManifestFunction): Assignment {
    const { app, release, releaseDir, env } = this.source;
    const { name, route, bundle, commonjs } = fn;
    return {
      app,
      release,
      releaseDir,
      name,
      route,
      bundle,
      commonjs,
      settings: { ...fn.settings },
      defaults: { ...fn.defaults },
      env,
      databases: resolveDatabases(this.manifest.database),
      dev: this.#dev,
    };
  }
}

/** Reads a release's manifest: its own, else that of its build. Throws `FN_NO_SUCH_RELEASE` when it cannot be read. */
export async function readManifest({ release, releaseDir }: GenerationSource): Promise<Manifest> {
  const own = await readFile(join(releaseDir, manifestName({ release })), 'utf8').catch(() => null);
  const path = join(releaseDir, manifestName());
  try {
    return JSON.parse(own ?? (await readFile(path, 'utf8'))) as Manifest;
  } catch (error) {
    throw new FnrunError('FN_NO_SUCH_RELEASE', `Cannot read the manifest ${path}`, { cause: error });
  }
}
