import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { buildLimits } from '../../runtime/contract/limits.ts';
import { nearest } from '../nearest.ts';
import { pacer } from '../pace.ts';
import { compareText, problem } from '../problem.ts';
import type { BuildProblem } from '../problem.ts';
import { readRoute } from './route.ts';

/** A function found in the source tree, before anything of it was read. */
export interface FoundFunction {
  /** `users/[id]`; `index` for functions/index.ts. */
  name: string;
  route: string;
  /** Equal for two functions whose routes match the same paths. */
  pattern: string;
  /** The entry file from the app's root. */
  source: string;
}

/** What lies under functions/. */
export interface Discovery {
  functions: FoundFunction[];
  /** tsconfig.json and jsconfig.json at the root and under functions/, from the app's root. */
  configs: string[];
  problems: BuildProblem[];
}

const entryFile = /^(.+)\.(?:ts|mts|cts|js|mjs|cjs|tsx|jsx)$/;
const configFile = /^[jt]sconfig\.json$/;
const noEntry = /\.(?:d|test|spec|bench)\.[^.]+$|\.d\.[^.]+\.ts$/;

/** Finds the functions of the app in `root`, which must be a real path. */
export async function discover(root: string): Promise<Discovery> {
  const walk: Walk = { root, entries: [], others: [], folders: [], configs: [], pace: pacer(), files: 0, problems: [] };
  walk.configs.push(...readdirSync(root).filter((name) => configFile.test(name)));
  await walkFolder(walk, []);
  const functions: FoundFunction[] = [];
  for (const entry of walk.entries.toSorted((a, b) => compareText(a.source, b.source))) {
    const reading = readRoute(entry.segments);
    if (!reading.ok) {
      walk.problems.push(problem('FN_BAD_ROUTE', reading.message, { file: entry.source, hint: reading.hint }));
    } else if (entry.segments[0] === 'index') {
      walk.problems.push(
        problem('FN_BAD_ROUTE', 'a folder "index" directly under functions/ would have the name of functions/index', {
          file: entry.source,
          hint: 'functions/index.ts is the function of /; give the folder another name',
        }),
      );
    } else {
      const name = entry.segments.join('/') || 'index';
      functions.push({ name, route: reading.route, pattern: reading.pattern, source: entry.source });
    }
  }
  const { kept, problems } = withoutConflicts(functions);
  walk.problems.push(...problems);
  if (functions.length === 0 && walk.problems.length === 0) walk.problems.push(nothingFound(walk));
  if (functions.length > buildLimits.functions) {
    walk.problems.push(
      problem(
        'FN_SOURCE_LIMIT',
        `The app has ${functions.length} functions; a build accepts ${buildLimits.functions}`,
        {
          hint: 'serve several routes from one function with a { fetch } export, or split the app',
        },
      ),
    );
  }
  return { functions: kept, configs: walk.configs.toSorted(compareText), problems: walk.problems };
}

interface Walk {
  root: string;
  entries: { segments: string[]; source: string }[];
  /** Script files that are no entry. */
  others: string[];
  folders: string[];
  configs: string[];
  pace: () => Promise<void> | undefined;
  files: number;
  problems: BuildProblem[];
}

async function walkFolder(walk: Walk, segments: string[]): Promise<void> {
  const folder = ['functions', ...segments].join('/');
  let names;
  try {
    await walk.pace();
    names = readdirSync(join(walk.root, folder), { withFileTypes: true });
  } catch (error) {
    if (segments.length === 0 && (error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  walk.folders.push(folder);
  for (const entry of names) {
    if (entry.name === 'node_modules' || entry.name.startsWith('_') || entry.name.startsWith('.')) continue;
    const path = `${folder}/${entry.name}`;
    const kind = entry.isSymbolicLink()
      ? linkKind(walk, path)
      : entry.isDirectory()
        ? 'folder'
        : entry.isFile()
          ? 'file'
          : 'other';
    if (Buffer.byteLength(path) > buildLimits.pathBytes || ++walk.files > buildLimits.sourceFiles) {
      walk.problems.push(tooLarge(walk, path));
      return;
    }
    if (kind === 'folder') await walkFolder(walk, [...segments, entry.name]);
    else if (kind === 'file') noteFile(walk, { segments, file: entry.name, path });
  }
}

function noteFile(walk: Walk, { segments, file, path }: { segments: string[]; file: string; path: string }): void {
  if (configFile.test(file)) walk.configs.push(path);
  const stem = entryFile.exec(file)?.[1];
  if (stem === undefined || noEntry.test(file)) return;
  if (stem === 'index') walk.entries.push({ segments, source: path });
  else if (segments.length === 0) walk.entries.push({ segments: [stem], source: path });
  else walk.others.push(path);
}

function linkKind(walk: Walk, path: string): 'folder' | 'file' | 'other' {
  try {
    const target = realpathSync.native(join(walk.root, path));
    if (target !== walk.root && !target.startsWith(walk.root + sep)) {
      walk.problems.push(
        problem('FN_SOURCE_ENTRY', `${path} is a symbolic link that leads out of the app`, {
          file: path,
          hint: 'copy what it links to into the app',
        }),
      );
      return 'other';
    }
    // A link to a folder above itself would be walked for ever.
    const linked = statSync(target);
    const loops = join(walk.root, path).startsWith(target + sep);
    return linked.isDirectory() && !loops ? 'folder' : linked.isFile() ? 'file' : 'other';
  } catch {
    return 'other';
  }
}

function tooLarge(walk: Walk, path: string): BuildProblem {
  return walk.files > buildLimits.sourceFiles
    ? problem('FN_SOURCE_LIMIT', `functions/ has more than ${buildLimits.sourceFiles} files`, {
        hint: 'keep data and dependencies out of functions/',
      })
    : problem('FN_SOURCE_LIMIT', `The path is longer than ${buildLimits.pathBytes} bytes`, {
        file: path,
        hint: 'shorten its folder names',
      });
}

/** The first function of each route; the others are problems. */
function withoutConflicts(functions: readonly FoundFunction[]): { kept: FoundFunction[]; problems: BuildProblem[] } {
  const first = new Map<string, FoundFunction>();
  const problems: BuildProblem[] = [];
  for (const found of functions) {
    const other = first.get(found.pattern);
    if (other === undefined) {
      first.set(found.pattern, found);
      continue;
    }
    problems.push(
      problem('FN_ROUTE_CONFLICT', `${other.source} and ${found.source} both answer ${describeRoutes(other, found)}`, {
        file: found.source,
        hint: 'remove one of them, or give it another folder',
      }),
    );
  }
  return { kept: [...first.values()], problems };
}

function describeRoutes(a: FoundFunction, b: FoundFunction): string {
  return a.route === b.route ? a.route : `${a.route} and ${b.route}, which match the same paths`;
}

function nothingFound(walk: Walk): BuildProblem {
  if (walk.folders.length === 0) {
    const siblings = readdirSync(walk.root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const below = siblings.find((entry) => existsSync(join(walk.root, entry.name, 'functions')));
    const near = nearest(
      'functions',
      siblings.map((entry) => entry.name),
    );
    const hint =
      below !== undefined
        ? `${below.name}/functions/ is there: the app is the folder ${below.name}/, and a push takes it as a repository of its own`
        : near === null
          ? 'make functions/hello/index.ts, or run "fnrun init"'
          : `rename ${near}/ to functions/`;
    return problem('FN_NO_FUNCTIONS', 'The app has no folder functions/', { hint });
  }
  const other = walk.others.toSorted(compareText)[0];
  const hint =
    other === undefined
      ? 'make functions/hello/index.ts with "export default () => new Response(\'hello\')"'
      : `a function is a file named index: rename ${other} to ${other.replace(/[^/]+(\.[^./]+)$/, 'index$1')}`;
  return problem('FN_NO_FUNCTIONS', 'functions/ holds no function', { hint });
}
