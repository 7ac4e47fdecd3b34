import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Programs that are started as processes or threads of their own, and a package that is loaded late, by their path below dist/. */
export type EntryPoint =
  | 'cli/main.js'
  | 'cli/bench/load/main.js'
  | 'runtime/host/main.cjs'
  | 'runtime/worker/main.cjs'
  | 'deploy/hook.js'
  | 'builder/process/main.js'
  | 'router/gateway/undici.cjs';

/**
 * The package's own folder. Works from dist/ and from the sources (under vitest) alike,
 * because neither has a package.json of its own.
 */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`No package.json above ${import.meta.dirname}`);
    folder = parent;
  }
  return folder;
}

/** Absolute path of a built entry point. `npm run build`, the launcher and vitest's setup make it. */
export function entryPoint(name: EntryPoint): string {
  return join(packageRoot(), 'dist', name);
}
