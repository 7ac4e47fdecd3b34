import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { problem } from '../problem.ts';
import type { BuildProblem, ProblemPlace } from '../problem.ts';
import { isJsonError, parseJsonFile } from './json-file.ts';

/** What the TypeScript configurations of an app say that concerns a build. */
export interface TsconfigReading {
  /** Whether there is any. */
  found: boolean;
  problems: BuildProblem[];
  warnings: BuildProblem[];
}

// Longer chains of "extends" are taken for loops.
const chainMax = 16;

/** Checks the configurations in `files` of the app (from its `root`, a real path) before esbuild follows them. */
export async function checkTsconfigs(root: string, files: readonly string[]): Promise<TsconfigReading> {
  const reading: TsconfigReading = { found: false, problems: [], warnings: [] };
  const seen = new Set<string>();
  await Promise.all(files.map((file) => follow({ root, reading, seen }, { path: join(root, file), depth: 0 })));
  return reading;
}

/** Whether a folder above `root` has a configuration, which TypeScript would use for an app that has none. */
export function isBelowTsconfig(root: string): boolean {
  for (let folder = dirname(root); ; folder = dirname(folder)) {
    if (['tsconfig.json', 'jsconfig.json'].some((name) => existsSync(join(folder, name)))) return true;
    if (folder === dirname(folder)) return false;
  }
}

interface Following {
  root: string;
  reading: TsconfigReading;
  seen: Set<string>;
}

async function follow(state: Following, { path, depth }: { path: string; depth: number }): Promise<void> {
  if (state.seen.has(path) || depth > chainMax) return;
  state.seen.add(path);
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return;
  state.reading.found = true;
  const file = relative(state.root, path).split(sep).join('/');
  const parsed = parseJsonFile(text, { file, comments: true });
  // A syntax error is left to esbuild, which warns of it.
  if (isJsonError(parsed) || typeof parsed.value !== 'object' || parsed.value === null) return;
  const { extends: bases, compilerOptions } = parsed.value as {
    extends?: unknown;
    compilerOptions?: Record<string, unknown>;
  };
  if (compilerOptions?.['emitDecoratorMetadata'] === true) {
    const hint = 'name injected types explicitly, for example @Inject(Type)';
    const place = { ...parsed.locate(['compilerOptions', 'emitDecoratorMetadata'], { key: true }), hint };
    state.reading.warnings.push(
      problem(null, 'emitDecoratorMetadata has no effect: types are removed, file by file', place),
    );
  }
  for (const [index, base] of (Array.isArray(bases) ? bases : [bases]).entries()) {
    if (typeof base !== 'string' || !(base.startsWith('.') || isAbsolute(base))) continue;
    const target = resolve(dirname(path), base);
    const place = parsed.locate(Array.isArray(bases) ? ['extends', index] : ['extends']);
    if (target.startsWith(state.root + sep)) {
      await follow(state, { path: target.endsWith('.json') ? target : `${target}.json`, depth: depth + 1 });
    } else state.reading.problems.push(leaves(base, place));
  }
}

function leaves(base: string, place: ProblemPlace): BuildProblem {
  return problem('FN_IMPORT_OUTSIDE', `"extends": "${base}" leaves the app`, {
    ...place,
    hint: 'copy what it extends into the app',
  });
}
