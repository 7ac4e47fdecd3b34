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
  const prefix = [...`${root}/`];
  if (prefix.length > rootCharsMax) return /.*/;
  let rest = '';
  for (const character of prefix.toReversed()) {
    const literal = character.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    rest = rest === '' ? `(?:$|[^${literal}])` : `(?:$|[^${literal}]|${literal}${rest})`;
  }
  return new RegExp(`^${rest}`);
}

/** Refuses to load what lies outside `root`, before it is read. */
export function boundaryPlugin(root: string): Plugin {
  return {
    name: 'fnrun-boundary',
    setup({ onLoad }) {
      onLoad({ filter: outside(root), namespace: 'file' }, async ({ path }) => {
        if (path.startsWith(`${root}/`)) return null;
        const real = await realpath(path).catch(() => path);
        return { errors: [{ text: 'The import leaves the app', detail: { outside: real } }] };
      });
    },
  };
}
