import { realpath } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

// Go's regexp refuses nesting deeper than 1,000; each character of the root is one level.
const rootCharsMax = 400;

/**
 * A regular expression that matches every path outside the folder `root`. esbuild filters
 * with Go's engine, which has no lookahead, so the complement is spelled out: at each
 * character of the prefix, end or differ. Files inside cost no call into JavaScript.
 */
export function outside(root: string): RegExp {
  const prefix = Array.from(`${root}/`);
  if (prefix.length > rootCharsMax) return /.*/;
  let rest = '';
  for (const character of prefix.toReversed()) {
    const literal = character.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    rest = rest === '' ? `(?:$|[^${literal}])` : `(?:$|[^${literal}]|${literal}${rest})`;
  }
  return new RegExp(`^${rest}`);
}

/** A regular expression that matches the given paths and what lies below them. */
export function atOrBelow(paths: readonly string[]): RegExp {
  const literals = paths.map((path) => path.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  return new RegExp(`^(?:${literals.join('|')})(?:/|$)`);
}

/** Refuses to load what lies outside `root`, or behind one of `escapes` (paths below it), before it is read. */
export function boundaryPlugin(root: string, escapes: readonly string[]): Plugin {
  const refuse = async ({ path }: { path: string }) => {
    const real = await realpath(path).catch(() => path);
    return { errors: [{ text: 'The import leaves the app', detail: { outside: real } }] };
  };
  return {
    name: 'fnrun-boundary',
    setup(build) {
      // Paths in the namespace of files are real paths, unless symbolic links are preserved.
      build.onLoad({ filter: outside(root), namespace: 'file' }, (file) =>
        file.path.startsWith(`${root}/`) ? null : refuse(file),
      );
      if (escapes.length > 0)
        build.onLoad({ filter: atOrBelow(escapes.map((path) => `${root}/${path}`)), namespace: 'file' }, refuse);
    },
  };
}
