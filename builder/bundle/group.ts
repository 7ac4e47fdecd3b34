import { readFile, stat } from 'node:fs/promises';
import { dirname, join, posix, relative, sep } from 'node:path';
import { isBuiltin } from 'node:module';
import type { Metafile, OutputFile } from 'esbuild';
import { sha256 } from '../hash.ts';
import { compareText } from '../problem.ts';
import type { BuildProblem, ProblemPlace } from '../problem.ts';
import { duplicatePackages } from './duplicates.ts';
import { bundle, requireBanner } from './esbuild.ts';
import type { Entry, Sources } from './esbuild.ts';
import { graphOf, inputPath, isPackageInput, reachable } from './graph.ts';
import type { Graph } from './graph.ts';
import { errorsToProblems, unresolvedProblem, warningsToProblems } from './messages.ts';
import { providedName } from './provided.ts';
import { packageName } from './unresolved.ts';
import type { ImportContext } from './unresolved.ts';

/** One file of a release, by its path from the release's root. */
export interface BundleFile {
  path: string;
  sha256: string;
  bytes: number;
}

/** What bundling told about one function. */
export interface GroupFunction {
  source: string;
  bundle: string;
  /** The bundle and all that it imports, without source maps. */
  files: string[];
  commonjs: boolean;
  /** Names of its exports. */
  exports: string[];
  /** More is exported than can be known without running it. */
  openExports: boolean;
  /** Packages left out of the bundle. */
  external: string[];
  /** Modules of the runtime that it imports, such as `fnrun/mysql`. */
  provided: string[];
}

/** The outcome of bundling functions that share sources. */
export interface GroupRecord {
  files: BundleFile[];
  functions: GroupFunction[];
  /** Files of packages with their time and size: [path, mtimeMs, size]. */
  packages: [string, number, number][];
  warnings: BuildProblem[];
}

/** A group that was bundled just now. */
export interface BundledGroup {
  record: GroupRecord;
  contents: Map<string, Uint8Array>;
  /** By entry file. */
  graphs: Map<string, Graph>;
}

/** Bundles one group. Problems instead of a group when esbuild found errors. */
export async function bundleGroup(
  entries: readonly Entry[],
  { sources, context: known }: { sources: Sources; context: Omit<ImportContext, 'escapes'> },
): Promise<BundledGroup | BuildProblem[]> {
  const context = { ...known, escapes: sources.escapes };
  const result = await bundle(sources, entries);
  if (result.metafile === null) return errorsToProblems(result.errors, context);
  const { metafile } = result;
  const contents = new Map(result.files.map((file) => finishFile(file, sources.root)));
  const unknown = await unknownExternals(metafile, context);
  if (unknown.length > 0) return unknown;
  const functions = await Promise.all(entries.map((entry) => describe(entry, { metafile, root: sources.root })));
  const packageFiles = Object.keys(metafile.inputs).filter(isPackageInput).map(inputPath);
  const record: GroupRecord = {
    files: [...contents]
      .map(([path, content]) => ({ path, sha256: sha256(content), bytes: content.byteLength }))
      .toSorted((a, b) => compareText(a.path, b.path)),
    functions,
    packages: context.local
      ? await Promise.all(
          packageFiles.filter((path) => path !== null).map((path) => stampPackageFile(sources.root, path)),
        )
      : [],
    warnings: [
      ...warningsToProblems(result.warnings, context),
      ...(await duplicatePackages(metafile, { entries, root: sources.root })),
    ],
  };
  return { record, contents, graphs: new Map(entries.map(({ source }) => [source, graphOf(metafile, source)])) };
}

/** Whether the files of packages are the ones that `record` was made of. */
export async function packagesHold(record: GroupRecord, root: string): Promise<boolean> {
  const checks = record.packages.map(async ([path, mtimeMs, size]) => {
    const now = await stampPackageFile(root, path).catch(() => null);
    return now !== null && now[1] === mtimeMs && now[2] === size;
  });
  return (await Promise.all(checks)).every(Boolean);
}

async function stampPackageFile(root: string, path: string): Promise<[string, number, number]> {
  const { mtimeMs, size } = await stat(join(root, path));
  return [path, mtimeMs, size];
}

function finishFile(file: OutputFile, root: string): [string, Uint8Array] {
  const path = relative(root, file.path).split(sep).join('/');
  if (path.endsWith('.mjs.map')) return [path, Buffer.from(renameSources(file.text, path))];
  return [path, path.endsWith('.mjs') ? withoutIdleBanner(file) : file.contents];
}

// A module without `require` is left as the plain module it was written as. The empty line keeps the map true.
function withoutIdleBanner(file: OutputFile): Uint8Array {
  const { text } = file;
  if (!text.startsWith(`${requireBanner}\n`)) return file.contents;
  const own = text.slice(requireBanner.length);
  return /\brequire\b/.test(own) ? file.contents : Buffer.from(own);
}

/** esbuild names sources from the map's folder, as URLs; stacks shall name them from the app's root. */
function renameSources(text: string, path: string): string {
  const map = JSON.parse(text) as { sources: string[] };
  map.sources = map.sources.map((source) => {
    const decoded = decodeURI(source);
    return /^[a-z-]{2,}:/.test(decoded) ? decoded : posix.join(dirname(path), decodeURIComponent(source));
  });
  return `${JSON.stringify(map)}\n`;
}

async function describe(
  entry: Entry,
  { metafile, root }: { metafile: Metafile; root: string },
): Promise<GroupFunction> {
  const bundlePath = `${entry.out}.mjs`;
  const output = metafile.outputs[bundlePath];
  if (output === undefined) throw new Error(`esbuild made no ${bundlePath}`);
  const files = new Set([bundlePath]);
  const external = new Set<string>();
  for (const file of files) {
    for (const imported of metafile.outputs[file]?.imports ?? []) {
      if (imported.external !== true) files.add(imported.path);
      else if (isPackageImport(imported.path)) external.add(packageName(imported.path));
    }
  }
  const commonjs = metafile.inputs[entry.source]?.format === 'cjs';
  const text = commonjs ? '' : await readFile(join(root, entry.source), 'utf8');
  return {
    source: entry.source,
    bundle: bundlePath,
    files: [...files].toSorted(compareText),
    commonjs,
    exports: output.exports.toSorted(compareText),
    openExports: commonjs || /\bexport\s*\*\s*from\b/.test(text),
    external: [...external].toSorted(compareText),
    provided: [...reachable(metafile, entry.source)].flatMap(providedName).toSorted(compareText),
  };
}

function isPackageImport(path: string): boolean {
  return !isBuiltin(path) && /^[^./]/.test(path) && !/^[a-z][a-z+.-]*:/i.test(path);
}

/** Imports that esbuild takes as external without a look, and that Node cannot load. */
async function unknownExternals(metafile: Metafile, context: ImportContext): Promise<BuildProblem[]> {
  const problems: Promise<BuildProblem>[] = [];
  for (const [name, { imports }] of Object.entries(metafile.inputs)) {
    for (const { path, external } of imports) {
      if (external !== true || !((path.startsWith('node:') && !isBuiltin(path)) || /^https?:/.test(path))) continue;
      const file = inputPath(name);
      const place = file === null ? {} : await placeOfText(file, { root: context.root, text: path });
      problems.push(unresolvedProblem(path, { place, context, note: null }));
    }
  }
  return Promise.all(problems);
}

/** Where `text` first stands in quotes. */
async function placeOfText(file: string, { root, text }: { root: string; text: string }): Promise<ProblemPlace> {
  const lines = (await readFile(join(root, file), 'utf8').catch(() => '')).split(/\r?\n/);
  const quoted = [`"${text}"`, `'${text}'`, `\`${text}\``];
  for (const [index, lineText] of lines.entries()) {
    const column = Math.max(...quoted.map((each) => lineText.indexOf(each)));
    if (column >= 0) return { file, line: index + 1, column: column + 1, lineText, length: text.length + 2 };
  }
  return { file };
}
