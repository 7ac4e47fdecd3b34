import type { AppConfig } from '../../runtime/contract/app-config.ts';
import type { Manifest, ManifestFunction } from '../../runtime/contract/manifest.ts';
import type { FunctionSettingsInput } from '../../runtime/contract/settings.ts';
import type { BundledFunction } from '../bundle/bundler.ts';
import type { BundleFile } from '../bundle/group.ts';
import { hashOf } from '../hash.ts';
import { compareText } from '../problem.ts';
import type { PublicFile } from './public.ts';

/** All that a manifest is made of. */
export interface ManifestParts {
  config: AppConfig;
  functions: readonly BundledFunction[];
  files: readonly BundleFile[];
  public: readonly PublicFile[];
  /** SHA-256 of the lockfile; null without dependencies. */
  lockHash: string | null;
  /** Hash of the installed packages, as far as they can differ for one lockfile. */
  packages: string;
}

/** The settings that fnrun.json gives to the function `name`: its own, and those for every function. */
export function settingsOf(
  config: AppConfig,
  name: string,
): { settings: FunctionSettingsInput; defaults: FunctionSettingsInput } {
  const own = config.functions ?? {};
  return { settings: sorted(Object.hasOwn(own, name) ? own[name]! : {}), defaults: sorted(config.defaults ?? {}) };
}

/** The order of keys in fnrun.json must not make another release. */
function sorted<T extends object>(settings: T): T {
  return Object.fromEntries(Object.entries(settings).toSorted(([a], [b]) => compareText(a, b))) as T;
}

/** Puts the manifest together. Its id depends on content only, not on places, times or the cache. */
export function makeManifest(parts: ManifestParts): Manifest {
  const files = new Map(parts.files.map((file) => [file.path, file]));
  const functions = parts.functions.map((each) => manifestFunction(each, { parts, files }));
  const external = [...new Set(parts.functions.flatMap((each) => each.external))].toSorted(compareText);
  const content: Omit<Manifest, 'schema' | 'release'> = {
    functions,
    public: parts.public.map(({ path }) => path),
    dependencies: { lockHash: parts.lockHash, external },
    domains: (parts.config.domains ?? []).map((name) => name.toLowerCase()),
    ...(parts.config.limits !== undefined && { limits: sorted(parts.config.limits) }),
    ...(parts.config.database !== undefined && { database: sorted(parts.config.database) }),
    ...(parts.config.rateLimit !== undefined && { rateLimit: sorted(parts.config.rateLimit) }),
    ...(parts.config.autoRollback !== undefined && { autoRollback: parts.config.autoRollback }),
    ...(parts.config.permissions !== undefined && { permissions: sorted(parts.config.permissions) }),
  };
  const release = hashOf([
    content,
    parts.files.map(({ path, sha256 }) => [path, sha256]),
    parts.public.map(({ path, sha256 }) => [path, sha256]),
    external.length === 0 ? null : parts.packages,
  ]).slice(0, 16);
  return { schema: 1, release, ...content };
}

function manifestFunction(
  { found, bundle, files: own, commonjs, external }: BundledFunction,
  { parts, files }: { parts: ManifestParts; files: ReadonlyMap<string, BundleFile> },
): ManifestFunction {
  const { settings, defaults } = settingsOf(parts.config, found.name);
  // Maps belong to it: a worker that is carried over must name the right lines.
  const content = own
    .flatMap((path) => [files.get(path), files.get(`${path}.map`)])
    .filter((file) => file !== undefined);
  const { name, route, source } = found;
  const packages = external.length === 0 ? null : parts.packages;
  const hash = hashOf([
    name,
    route,
    source,
    commonjs,
    settings,
    defaults,
    content.map((file) => [file.path, file.sha256]),
    packages,
  ]);
  const bytes = own.reduce((sum, path) => sum + (files.get(path)?.bytes ?? 0), 0);
  return { name, route, source, bundle, commonjs, hash, bytes, settings, defaults, inspection: null };
}
