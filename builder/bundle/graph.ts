import { dirname, posix } from 'node:path';
import type { Metafile } from 'esbuild';
import { compareText } from '../problem.ts';
import { wasmNamespace } from './wasm.ts';

/** What a function's bundle is made of, as far as the app's own files go. Paths are from the root. */
export interface Graph {
  /** The app's files that it imports, itself included; sorted. */
  inputs: string[];
  /** Folders whose listing decides what its imports resolve to; sorted. */
  folders: string[];
}

/** Whether an input of a metafile lies in a package. */
export function isPackageInput(path: string): boolean {
  return path.startsWith('node_modules/') || path.includes('/node_modules/');
}

/** Path of an input from the root; null for what is no file. */
export function inputPath(name: string): string | null {
  const file = name.startsWith(`${wasmNamespace}:`) ? name.slice(wasmNamespace.length + 1) : name;
  // An import with attributes is an input of its own: `lib/x.txt with { type: 'text' }`.
  const path = file.replace(/ with \{[^{}]*\}$/, '');
  return path.startsWith('<') || /^[a-z-]{2,}:/.test(path) ? null : path;
}

/** Inputs of a metafile that `entry` reaches, by their names there. */
export function reachable(metafile: Metafile, entry: string): Set<string> {
  const seen = new Set([entry]);
  for (const name of seen) {
    for (const { path, external } of metafile.inputs[name]?.imports ?? []) {
      if (external !== true && metafile.inputs[path] !== undefined) seen.add(path);
    }
  }
  return seen;
}

/** The graph of the function whose entry file is `entry`. */
export function graphOf(metafile: Metafile, entry: string): Graph {
  const inputs = new Set<string>();
  const folders = new Set<string>();
  for (const name of reachable(metafile, entry)) {
    const path = inputPath(name);
    if (path === null || isPackageInput(path)) continue;
    inputs.add(path);
    for (const { original, path: resolved } of metafile.inputs[name]!.imports) {
      if (original === undefined) continue;
      const target = inputPath(resolved);
      if (!/^\.\.?(?:\/|$)/.test(original)) {
        // By "paths" of tsconfig.json or "imports" of package.json.
        if (target !== null && !isPackageInput(target)) folders.add(dirname(target));
        continue;
      }
      // `./x` may come to mean x.ts, x.js or x/index.ts when one of them appears.
      const wanted = posix.join(dirname(path), original);
      folders.add(dirname(wanted));
      if (wanted !== target) folders.add(wanted);
    }
  }
  const inside = [...folders].filter((folder) => !folder.startsWith('..'));
  return { inputs: [...inputs].toSorted(compareText), folders: inside.toSorted(compareText) };
}

/**
 * Puts functions that share a file of the app into one group, transitively: they are bundled
 * together, so that what they share becomes a chunk. Depends on nothing but the sources.
 */
export function groupsOf<T extends { source: string }>(
  functions: readonly T[],
  inputsOf: (found: T) => readonly string[],
): T[][] {
  const parent = new Map<string, string>();
  const rootOf = (name: string): string => {
    let root = name;
    while (parent.get(root) !== undefined && parent.get(root) !== root) root = parent.get(root)!;
    parent.set(name, root);
    return root;
  };
  for (const found of functions) {
    for (const input of inputsOf(found)) parent.set(rootOf(input), rootOf(found.source));
  }
  const groups = new Map<string, T[]>();
  for (const found of functions) {
    const root = rootOf(found.source);
    groups.set(root, [...(groups.get(root) ?? []), found]);
  }
  return [...groups.values()];
}
