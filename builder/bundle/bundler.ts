import { buildLimits } from '../../runtime/contract/limits.ts';
import { hashOf } from '../hash.ts';
import { mapLimited } from '../map-limited.ts';
import { BuildStop, compareText, problem } from '../problem.ts';
import type { BuildProblem } from '../problem.ts';
import type { FoundFunction } from '../source/discover.ts';
import type { BuildState, BundleCache } from './cache.ts';
import { bundle, esbuildVersion, scan } from './esbuild.ts';
import type { Entry, Sources } from './esbuild.ts';
import { Fingerprint } from './fingerprint.ts';
import type { StampedGraph } from './fingerprint.ts';
import { graphOf, groupsOf } from './graph.ts';
import type { Graph } from './graph.ts';
import { bundleGroup, packagesHold } from './group.ts';
import type { BundledGroup, BundleFile, GroupFunction, GroupRecord } from './group.ts';
import { errorsToProblems } from './messages.ts';
import type { ImportContext } from './unresolved.ts';

/** What to bundle, with what. */
export interface BundlerOptions {
  /** The app's root as a real path; inputs must lie in it. */
  root: string;
  /** What esbuild is told, but for its root. */
  settings: Omit<Sources, 'root' | 'escapes'>;
  /** Gives the root for esbuild: called when something must be read at all. */
  openRoot: () => Promise<Pick<Sources, 'root' | 'escapes'>>;
  context: Omit<ImportContext, 'escapes'>;
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
  const { config, external, ignoreTsconfig } = options.settings;
  const base = hashOf([esbuildVersion, config, external, ignoreTsconfig, options.packages]);
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
  const { old } = attempt;
  const { graphs, made } = await readGraphs(functions, attempt);
  const inputsOf = (found: FoundFunction): string[] => graphs.get(found.source)!.inputs.map(([path]) => path);
  const groups = groupsOf(functions, inputsOf);
  const work = (group: FoundFunction[]) => loadGroup(group, { attempt, graphs, made });
  const loaded = settle(await mapLimited(groups, { limit: buildLimits.parallelBundles, work }));
  const fresh = loaded.filter((each) => each.fresh);
  if (fresh.length > 0) {
    // What esbuild read must be what was hashed, or the cache would lie ever after.
    const after = new Fingerprint(attempt.root);
    const stamps = fresh.flatMap(({ group }) => group.map((found) => graphs.get(found.source)!));
    for (const stamp of stamps) if (!(await after.holds(stamp))) return null;
    refuseEscapes(await after.escapes(stamps));
  }
  const kept = await Promise.all(loaded.map(async (each) => ({ ...each, dir: await each.keep() })));
  return {
    functions: kept
      .flatMap(({ group, record }) => pair(group, record))
      .toSorted((a, b) => compareText(a.found.name, b.found.name)),
    files: mergeFiles(kept),
    warnings: kept.flatMap(({ record }) => record.warnings),
    bundled: fresh.reduce((sum, { group }) => sum + group.length, 0),
    state: {
      base: old.base,
      graphs: Object.fromEntries([...graphs].toSorted(([a], [b]) => compareText(a, b))),
      seen: old.seen,
    },
  };
}

interface Graphs {
  graphs: Map<string, StampedGraph>;
  /** Groups bundled on the way, by `groupName`. */
  made: Map<string, BundledGroup>;
}

/** The graph of each function: as remembered where it still holds, else read anew. */
async function readGraphs(functions: readonly FoundFunction[], attempt: Attempt): Promise<Graphs> {
  const graphs = new Map<string, StampedGraph>();
  const unknown: FoundFunction[] = [];
  const now = new Fingerprint(attempt.root);
  const remembered = attempt.old.graphs;
  for (const found of functions) {
    const graph = remembered[found.source];
    if (graph !== undefined && (await now.holds(graph))) graphs.set(found.source, graph);
    else unknown.push(found);
  }
  const made = new Map<string, BundledGroup>();
  if (unknown.length === 0) return { graphs, made };
  const sources = { ...attempt.settings, ...(await attempt.openRoot()) };
  if (!(await allEdited(unknown, { remembered, now }))) {
    for (const [source, graph] of await scanGraphs(unknown, { sources, attempt }))
      graphs.set(source, await now.stamp(graph));
    return { graphs, made };
  }
  // An edit rarely changes what is shared with whom: bundling the groups as they were is one call in place of two.
  const inputsOf = ({ source }: FoundFunction): string[] =>
    (graphs.get(source) ?? remembered[source]!).inputs.map(([path]) => path);
  const stale = groupsOf(functions, inputsOf).filter((group) => group.some((found) => unknown.includes(found)));
  const work = (group: FoundFunction[]) => bundleGroup(group.map(entryOf), { sources, context: attempt.context });
  const bundled = await mapLimited(stale, { limit: buildLimits.parallelBundles, work });
  for (const [index, group] of settle(bundled).entries()) {
    made.set(groupName(stale[index]!), group);
    for (const [source, graph] of group.graphs) graphs.set(source, await now.stamp(graph));
  }
  return { graphs, made };
}

/** Whether each function was built before and one of its files has changed since; else the cache may hold what is wanted. */
async function allEdited(
  functions: readonly FoundFunction[],
  { remembered, now }: { remembered: Readonly<Record<string, StampedGraph>>; now: Fingerprint },
): Promise<boolean> {
  for (const { source } of functions) {
    const graph = remembered[source];
    if (graph === undefined || (await now.sameInputs(graph))) return false;
  }
  return true;
}

async function scanGraphs(
  functions: readonly FoundFunction[],
  { sources, attempt }: { sources: Sources; attempt: Attempt },
): Promise<Map<string, Graph>> {
  const entries = functions.map(entryOf);
  // A package may import itself by its name, which a scan without packages does not see.
  const look = attempt.context.packageJson?.exports === undefined ? scan : bundle;
  const { metafile, errors } = await look(sources, entries);
  if (metafile !== null) return new Map(entries.map(({ source }) => [source, graphOf(metafile, source)]));
  // Bundling looks at packages too: all that is wrong is told at once.
  const whole = await bundle(sources, entries);
  throw new BuildStop(
    await errorsToProblems(whole.errors.length > 0 ? whole.errors : errors, {
      ...attempt.context,
      escapes: sources.escapes,
    }),
  );
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
  { attempt, graphs, made }: Graphs & { attempt: Attempt },
): Promise<LoadedGroup | BuildProblem[]> {
  const { context, cache, old } = attempt;
  const stamps = group.map((found) => graphs.get(found.source)!);
  const inputs = new Map(stamps.flatMap((stamp) => [...stamp.inputs, ...stamp.configs]));
  const key = hashOf([old.base, group.map(entryOf), [...inputs].toSorted(([a], [b]) => compareText(a, b))]);
  const already = made.get(groupName(group));
  if (already !== undefined)
    return { group, record: already.record, fresh: true, keep: () => cache.keep(key, already) };
  const cached = await cache.find(key);
  if (cached !== null && (await packagesHold(cached.record, attempt.root))) {
    return { group, record: cached.record, fresh: false, keep: () => Promise.resolve(cached.dir) };
  }
  const sources = { ...attempt.settings, ...(await attempt.openRoot()) };
  const bundled = await bundleGroup(group.map(entryOf), { sources, context });
  if (Array.isArray(bundled)) return bundled;
  return { group, record: bundled.record, fresh: true, keep: () => cache.keep(key, bundled) };
}

/** The outcomes when all went well; else all problems of all groups at once. */
function settle<T extends object>(outcomes: readonly (T | BuildProblem[])[]): T[] {
  const problems = outcomes.flatMap((each) => (Array.isArray(each) ? each : []));
  if (problems.length > 0) throw new BuildStop(problems);
  return outcomes.filter((each): each is T => !Array.isArray(each));
}

function groupName(group: readonly FoundFunction[]): string {
  return group.map(({ source }) => source).join('\0');
}

function refuseEscapes(escapes: ReadonlyMap<string, string>): void {
  if (escapes.size === 0) return;
  const hint = 'copy what it links to into the app';
  throw new BuildStop(
    [...escapes].map(([file, real]) =>
      problem('FN_IMPORT_OUTSIDE', `${file} leaves the app: it is a link to ${real}`, { file, hint }),
    ),
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

function entryOf(found: FoundFunction): Entry {
  return { source: found.source, out: `functions/${found.name}` };
}
