import { hashOf } from '../hash.ts';
import { BuildStop, compareText, problem } from '../problem.ts';
import type { BuildProblem } from '../problem.ts';
import type { FoundFunction } from '../source/discover.ts';
import type { BuildState, BundleCache } from './cache.ts';
import { bundle, esbuildVersion, scan } from './esbuild.ts';
import type { Entry, Sources } from './esbuild.ts';
import { Fingerprint } from './fingerprint.ts';
import type { StampedGraph } from './fingerprint.ts';
import { graphOf, groupsOf } from './graph.ts';
import { bundleGroup, packagesHold } from './group.ts';
import type { BundleFile, GroupFunction, GroupRecord } from './group.ts';
import { errorsToProblems } from './messages.ts';
import type { ImportContext } from './unresolved.ts';

/** What to bundle, with what. */
export interface BundlerOptions {
  sources: Sources;
  /** The app's root as a real path; inputs must lie in it. */
  realRoot: string;
  context: ImportContext;
  cache: BundleCache;
  /** Hash of the installed packages. */
  packages: string;
}

/** A function with its bundle. */
export interface BundledFunction extends GroupFunction {
  found: FoundFunction;
}

/** All functions bundled. */
export interface Bundling {
  functions: BundledFunction[];
  /** Every file of the bundles, with where it lies in the cache; sorted by path. */
  files: (BundleFile & { from: string })[];
  warnings: BuildProblem[];
  /** Functions that esbuild was called for; the others came from the cache. */
  bundled: number;
  state: BuildState;
}

// Sources that change while they are built (an editor saving) are looked at again.
const attemptsMax = 3;

/** Bundles `functions`, from the cache where nothing changed. Throws `BuildStop` with what is wrong in the sources. */
export async function bundleFunctions(functions: readonly FoundFunction[], options: BundlerOptions): Promise<Bundling> {
  const { sources, packages } = options;
  const base = hashOf([esbuildVersion, sources.config, sources.external, sources.ignoreTsconfig, packages]);
  const known = await options.cache.readState();
  const old: BuildState = known?.base === base ? known : { base, graphs: {}, seen: known?.seen ?? [] };
  for (let attempt = 1; ; attempt++) {
    const bundling = await bundleOnce(functions, { ...options, old });
    if (bundling !== null) return bundling;
    if (attempt === attemptsMax) {
      const hint = 'build again when nothing writes to the sources';
      throw new BuildStop([problem('FN_SOURCE_ENTRY', 'The sources changed while they were built', { hint })]);
    }
  }
}

interface Attempt extends BundlerOptions {
  old: BuildState;
}

/** Null when the sources changed meanwhile. */
async function bundleOnce(functions: readonly FoundFunction[], attempt: Attempt): Promise<Bundling | null> {
  const { sources, old } = attempt;
  const before = new Fingerprint({ root: sources.root, realRoot: attempt.realRoot });
  const graphs = await readGraphs(functions, { attempt, before });
  refuseEscapes(before);
  const groups = groupsOf(functions, (found) => inputsOf(graphs.get(found.source)!));
  const made = await Promise.all(groups.map((group) => loadGroup(group, { attempt, graphs })));
  const problems = made.flatMap((each) => (Array.isArray(each) ? each : []));
  if (problems.length > 0) throw new BuildStop(problems);
  const loaded = made.filter((each): each is LoadedGroup => !Array.isArray(each));
  const fresh = loaded.filter((each) => each.fresh);
  if (fresh.length > 0) {
    // What esbuild read must be what was hashed, or the cache would lie ever after.
    const after = new Fingerprint({ root: sources.root, realRoot: attempt.realRoot });
    const stamps = fresh.flatMap(({ group }) => group.map((found) => graphs.get(found.source)!));
    if (!(await Promise.all(stamps.map((stamp) => after.holds(stamp)))).every(Boolean)) return null;
  }
  const kept = await Promise.all(loaded.map(async (each) => ({ ...each, dir: await each.keep() })));
  return {
    functions: kept.flatMap(({ group, record }) => pair(group, record)).toSorted((a, b) => compareText(a.found.name, b.found.name)),
    files: mergeFiles(kept),
    warnings: kept.flatMap(({ record }) => record.warnings),
    bundled: fresh.reduce((sum, { group }) => sum + group.length, 0),
    state: { base: old.base, graphs: Object.fromEntries([...graphs].toSorted(([a], [b]) => compareText(a, b))), seen: old.seen },
  };
}

/** The graph of each function: as remembered where it still holds, else read anew. */
async function readGraphs(
  functions: readonly FoundFunction[],
  { attempt, before }: { attempt: Attempt; before: Fingerprint },
): Promise<Map<string, StampedGraph>> {
  const graphs = new Map<string, StampedGraph>();
  const unknown: FoundFunction[] = [];
  await Promise.all(
    functions.map(async (found) => {
      const remembered = attempt.old.graphs[found.source];
      if (remembered !== undefined && (await before.holds(remembered))) graphs.set(found.source, remembered);
      else unknown.push(found);
    }),
  );
  if (unknown.length === 0) return graphs;
  const entries = unknown.toSorted((a, b) => compareText(a.source, b.source)).map(entryOf);
  // A package may import itself by its name, which a scan without packages does not see.
  const look = attempt.context.packageJson?.exports === undefined ? scan : bundle;
  const scanned = await look(attempt.sources, entries);
  if (scanned.metafile === null) {
    // Bundling looks at packages too: all that is wrong is told at once.
    const whole = await bundle(attempt.sources, entries);
    const errors = whole.errors.length > 0 ? whole.errors : scanned.errors;
    throw new BuildStop(await errorsToProblems(errors, attempt.context));
  }
  const { metafile } = scanned;
  const stamped = entries.map(async ({ source }) => graphs.set(source, await before.stamp(graphOf(metafile, source))));
  await Promise.all(stamped);
  return graphs;
}

interface LoadedGroup {
  group: FoundFunction[];
  record: GroupRecord;
  fresh: boolean;
  /** Puts it into the cache when it is fresh; gives the folder with its files. */
  keep: () => Promise<string>;
}

async function loadGroup(
  group: FoundFunction[],
  { attempt, graphs }: { attempt: Attempt; graphs: ReadonlyMap<string, StampedGraph> },
): Promise<LoadedGroup | BuildProblem[]> {
  const { sources, context, cache, old } = attempt;
  const inputs = new Map(group.flatMap((found) => graphs.get(found.source)!.inputs));
  const key = hashOf([old.base, group.map(entryOf), [...inputs].toSorted(([a], [b]) => compareText(a, b))]);
  const cached = await cache.find(key);
  if (cached !== null && (await packagesHold(cached.record, sources.root))) {
    return { group, record: cached.record, fresh: false, keep: () => Promise.resolve(cached.dir) };
  }
  const made = await bundleGroup(group.map(entryOf), { sources, context });
  if (Array.isArray(made)) return made;
  return { group, record: made.record, fresh: true, keep: () => cache.keep(key, made) };
}

function refuseEscapes(before: Fingerprint): void {
  if (before.escapes.size === 0) return;
  const hint = 'copy what it links to into the app';
  throw new BuildStop(
    [...before.escapes].map(([file, real]) => problem('FN_IMPORT_OUTSIDE', `${file} leaves the app: it is a link to ${real}`, { file, hint })),
  );
}

function mergeFiles(groups: readonly { record: GroupRecord; dir: string }[]): Bundling['files'] {
  const files = new Map<string, BundleFile & { from: string }>();
  for (const { record, dir } of groups) {
    for (const file of record.files) {
      const other = files.get(file.path);
      if (other !== undefined && other.sha256 !== file.sha256) {
        throw new Error(`Two groups made ${file.path} with different content`);
      }
      files.set(file.path, { ...file, from: `${dir}/${file.path}` });
    }
  }
  return [...files.values()].toSorted((a, b) => compareText(a.path, b.path));
}

function pair(group: readonly FoundFunction[], record: GroupRecord): BundledFunction[] {
  return record.functions.map((each) => ({ ...each, found: group.find(({ source }) => source === each.source)! }));
}

function inputsOf(stamped: StampedGraph): string[] {
  // Configuration files apply to all and join nothing; a function may import package.json, though, without harm.
  return stamped.inputs.map(([path]) => path).filter((path) => !/(?:^|\/)(?:package|tsconfig|jsconfig)\.json$/.test(path));
}

function entryOf(found: FoundFunction): Entry {
  return { source: found.source, out: `functions/${found.name}` };
}
