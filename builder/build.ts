import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { AppConfig, ReleaseConfig } from '../runtime/contract/app-config.ts';
import { buildLimits, deployLimits } from '../runtime/contract/limits.ts';
import type { Manifest } from '../runtime/contract/manifest.ts';
import { bundleFunctions } from './bundle/bundler.ts';
import type { Bundling } from './bundle/bundler.ts';
import { openCache } from './bundle/cache.ts';
import type { BuildState } from './bundle/cache.ts';
import { missingHandlers } from './bundle/handlers.ts';
import { markLinked } from './dependencies/install.ts';
import type { RunNpm } from './dependencies/npm.ts';
import { prepareDependencies } from './dependencies/prepare.ts';
import type { Dependencies } from './dependencies/prepare.ts';
import { BuildStop, compareText, problem, sortProblems } from './problem.ts';
import type { BuildProblem } from './problem.ts';
import { pruneCache } from './prune.ts';
import { makeManifest, settingsOf } from './release/manifest.ts';
import { hiddenFunctions, readPublic } from './release/public.ts';
import { writeRelease } from './release/write.ts';
import type { ReleaseFile } from './release/write.ts';
import { readAppConfig } from './source/app-config.ts';
import { discover } from './source/discover.ts';
import { checkTsconfigs, isBelowTsconfig } from './source/tsconfig.ts';
import { makeView } from './source/view.ts';
import type { SourceView } from './source/view.ts';

export type { BuildProblem } from './problem.ts';

/** What to build, and where its results go. */
export interface BuildOptions {
  /** The app's root: the folder that holds functions/. Never written to. */
  sourceDir: string;
  /** Folder of releases; the release becomes `<releasesDir>/<id>/`. Should be on one file system with `cacheDir`. */
  releasesDir: string;
  /**
   * Folder that keeps bundles and installed dependencies between builds; made when absent.
   * Releases with external packages link to it: keep it as long as the releases.
   */
  cacheDir: string;
  /** Use `<sourceDir>/node_modules`, when there is one, instead of installing (fnrun dev). @default false */
  useLocalModules?: boolean;
  /** Sync the release to the disk before it gets its name, so that it survives a power failure. @default false */
  durable?: boolean;
  /** Aborts the build: `build()` then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Called with each step's line while the build runs ("installing 14 packages"). */
  onProgress?: (line: string) => void;
  /** How npm is run. @default as a child process, with npm's configuration of this user */
  runNpm?: RunNpm;
}

/** A release that lies complete in `dir`. */
export interface BuildSuccess {
  ok: true;
  release: string;
  dir: string;
  manifest: Manifest;
  warnings: BuildProblem[];
  /** Names of the functions whose hash differs from every release built before with this cache. */
  changed: string[];
  /** Number of functions that esbuild was called for; the others came from the cache. */
  bundled: number;
  /** Time of each step, in ms. */
  timings: { discoverMs: number; installMs: number; bundleMs: number; writeMs: number; totalMs: number };
  /** The release existed already, byte for byte. */
  reused: boolean;
  /** What fnrun.json wants to be run before the release goes live. */
  releaseCommand: Required<ReleaseConfig> | null;
  /** Modules of the runtime that its functions import, such as `fnrun/mysql`. */
  provided: string[];
  /** Where the app's packages are installed; null: it has none. */
  modulesDir: string | null;
}

/** A build that made no release. */
export interface BuildFailure {
  ok: false;
  problems: BuildProblem[];
  warnings: BuildProblem[];
}

export type BuildResult = BuildSuccess | BuildFailure;

// Hashes of functions remembered to tell what changed: ten releases of the largest app.
const seenMax = buildLimits.functions * buildLimits.releasesKept;

/**
 * Builds the app in `sourceDir` into an immutable release. Never runs code of the app. What is
 * wrong in the sources is told by a `BuildFailure`; other failures (a full disk, an abort) reject.
 */
export async function build(options: BuildOptions): Promise<BuildResult> {
  const deadline = AbortSignal.timeout(buildLimits.buildMs + buildLimits.npmInstallMs);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]);
  const warnings: BuildProblem[] = [];
  try {
    signal.throwIfAborted();
    return await untilAborted(run({ ...options, signal }, warnings), signal);
  } catch (error) {
    if (error instanceof BuildStop)
      return { ok: false, problems: sortProblems(error.problems), warnings: sortProblems(warnings) };
    if (!deadline.aborted || options.signal?.aborted === true) throw error;
    const message = `The build took longer than ${(buildLimits.buildMs + buildLimits.npmInstallMs) / 1000} s`;
    const problems = [
      problem('FN_BUILD_TIMEOUT', message, { hint: 'build again; if it happens again, look at what the app bundles' }),
    ];
    return { ok: false, problems, warnings: sortProblems(warnings) };
  }
}

type RunOptions = BuildOptions & { signal: AbortSignal };

async function run(options: RunOptions, warnings: BuildProblem[]): Promise<BuildSuccess> {
  const clock = stopwatch();
  const root = await realpath(options.sourceDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
    const hint = 'name the folder that holds functions/';
    throw new BuildStop([problem('FN_NO_FUNCTIONS', `There is no folder ${options.sourceDir}`, { hint })]);
  });
  const cacheDir = resolve(options.cacheDir);
  const found = await readSources(root, warnings);
  const discoverMs = clock.lap();
  const dependencies = await prepareDependencies({
    ...options,
    root,
    cacheDir,
    config: found.config,
    locateConfig: found.locateConfig,
  });
  const installMs = clock.lap();
  const cache = await openCache(cacheDir);
  const bundling = await bundleAll({ root, cacheDir, found, dependencies, cache });
  warnings.push(...bundling.warnings);
  const bundleMs = clock.lap();
  const manifest = makeManifest({ ...bundling, config: found.config, public: found.public.files, ...dependencies });
  const modulesDir = manifest.dependencies.external.length === 0 ? null : dependencies.modulesDir;
  if (modulesDir !== null && !dependencies.local) await markLinked(modulesDir);
  const releasesDir = resolve(options.releasesDir);
  const written = await writeRelease(
    { manifest, files: releaseFiles(root, { bundling, found }), modulesDir },
    { releasesDir, cacheDir, durable: options.durable ?? false },
  );
  const { changed, seen } = noteChanges(manifest, bundling.state);
  await cache.writeState({ ...bundling.state, seen });
  await pruneCache({ cacheDir, releasesDir, now: Date.now() });
  const writeMs = clock.lap();
  return {
    ok: true,
    release: manifest.release,
    ...written,
    releaseCommand: releaseCommandOf(found.config),
    provided: [...new Set(bundling.functions.flatMap((each) => each.provided))],
    modulesDir: dependencies.modulesDir,
    warnings: sortProblems(warnings),
    changed,
    bundled: bundling.bundled,
    timings: { discoverMs, installMs, bundleMs, writeMs, totalMs: clock.total() },
  };
}

type Sources = Awaited<ReturnType<typeof readSources>>;

/** Everything that can be told before anything is installed or bundled. */
async function readSources(root: string, warnings: BuildProblem[]) {
  const [discovery, statics] = await Promise.all([discover(root), readPublic(root)]);
  const { functions, configs } = discovery;
  const [{ config, problems, locate }, tsconfig] = await Promise.all([
    readAppConfig(
      root,
      functions.map(({ name }) => name),
    ),
    checkTsconfigs(root, configs),
  ]);
  warnings.push(...statics.warnings, ...tsconfig.warnings, ...hiddenFunctions(statics.files, functions));
  const early = [...discovery.problems, ...problems, ...tsconfig.problems, ...statics.problems];
  return { functions, config, locateConfig: locate, public: statics, configs, tsconfig, early };
}

interface BundleParts {
  root: string;
  cacheDir: string;
  found: Sources;
  dependencies: Dependencies;
  cache: Awaited<ReturnType<typeof openCache>>;
}

/** Bundles; what was found wrong before is told together with what is wrong in the sources. */
async function bundleAll({ root, cacheDir, found, dependencies, cache }: BundleParts): Promise<Bundling> {
  const problems = [...found.early, ...dependencies.problems];
  const { local, modulesDir, packageJson } = dependencies;
  let view = null as Promise<SourceView> | null;
  const openRoot = (): Promise<Pick<SourceView, 'root' | 'escapes'>> => {
    if (local) return Promise.resolve({ root, escapes: [] });
    view ??= makeView(root, { modulesDir, cacheDir });
    return view;
  };
  try {
    const settings = {
      preserveSymlinks: !local,
      // Those of folders above stop at a view; and one that leaves the app must not be followed.
      ignoreTsconfig: found.tsconfig.problems.length > 0 || (local && !found.tsconfig.found && isBelowTsconfig(root)),
      config: found.config.bundle ?? {},
      external: dependencies.external,
    };
    const context = { root, packageJson, local };
    const bundling = await bundleFunctions(found.functions, {
      root,
      settings,
      openRoot,
      context,
      cache,
      packages: dependencies.packages,
    });
    problems.push(...(await checkLateConfigs(root, { bundling, known: found.configs })));
    const handlerOf = (name: string): string | undefined => {
      const { settings, defaults } = settingsOf(found.config, name);
      return settings.handler ?? defaults.handler;
    };
    problems.push(...(await missingHandlers(bundling.functions, { root, handlerOf })));
    if (problems.length === 0) return bundling;
  } catch (error) {
    if (!(error instanceof BuildStop)) throw error;
    // What could not be installed, or is found by a tsconfig.json, does not resolve: that is no second error.
    const failed = dependencies.problems.length > 0 || found.tsconfig.problems.length > 0;
    problems.push(...error.problems.filter(({ code }) => !(failed && code === 'FN_UNRESOLVED_IMPORT')));
  } finally {
    await view?.then((made) => made.dispose());
  }
  throw new BuildStop(problems);
}

/** Configurations that lie beside sources outside functions/ are known when the sources are. */
async function checkLateConfigs(
  root: string,
  { bundling, known }: { bundling: Bundling; known: readonly string[] },
): Promise<BuildProblem[]> {
  const configs = new Set(Object.values(bundling.state.graphs).flatMap((graph) => graph.configs.map(([path]) => path)));
  const late = [...configs].filter((path) => !path.endsWith('package.json') && !known.includes(path));
  return (await checkTsconfigs(root, late)).problems;
}

function releaseFiles(root: string, { bundling, found }: { bundling: Bundling; found: Sources }): ReleaseFile[] {
  const bundles = bundling.files.map(({ path, sha256, from }) => ({ path, sha256, from, immutable: true }));
  const statics = found.public.files.map(({ path, sha256 }) => ({
    path: `public/${path}`,
    sha256,
    from: join(root, 'public', path),
    immutable: false,
  }));
  return [...bundles, ...statics];
}

function releaseCommandOf({ release = {} }: AppConfig): Required<ReleaseConfig> | null {
  const { command = '', timeoutMs = deployLimits.releaseCommandMs } =
    typeof release === 'string' ? { command: release } : release;
  return command === '' ? null : { command, timeoutMs };
}

function noteChanges(manifest: Manifest, state: BuildState): { changed: string[]; seen: string[] } {
  const before = new Set(state.seen);
  const changed = manifest.functions.filter(({ hash }) => !before.has(hash));
  const now = new Set(manifest.functions.map(({ hash }) => hash));
  const seen = [...state.seen.filter((hash) => !now.has(hash)), ...now].slice(-seenMax);
  return { changed: changed.map(({ name }) => name).toSorted(compareText), seen };
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolvePromise, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolvePromise, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function stopwatch(): { lap(): number; total(): number } {
  const start = performance.now();
  let last = start;
  const round = (ms: number): number => Math.round(ms * 10) / 10;
  return {
    lap() {
      const now = performance.now();
      const ms = round(now - last);
      last = now;
      return ms;
    },
    total: () => round(performance.now() - start),
  };
}
