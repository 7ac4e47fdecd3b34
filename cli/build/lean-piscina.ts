import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';

/** Folder of piscina's code. */
const folder = dirname(createRequire(import.meta.url).resolve('piscina'));

/** What piscina's threads begin with, and what that is called beside the program that has piscina in it. */
export const piscinaThread = { in: join(folder, 'worker.js'), name: 'piscina-thread' };

const namespace = 'lean-piscina';

/** All that piscina asks of it. */
const assert = `module.exports = (value, message) => { if (!value) throw new Error(message ?? 'piscina: assertion failed'); };
module.exports.notStrictEqual = (one, other) => module.exports(one !== other);`;

/**
 * Bundles piscina with the program: an app host starts while a request waits, and finding a dozen files and `node:assert` takes
 * a tenth of that.
 */
export const leanPiscina: Plugin = {
  name: namespace,
  setup(build) {
    build.onResolve({ filter: /^piscina$/ }, () => ({ path: join(folder, 'main.js') }));
    build.onResolve({ filter: /^node:assert$/ }, ({ path, importer }) =>
      dirname(importer).startsWith(folder) ? { path, namespace } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace }, () => ({ contents: assert, loader: 'js' }));
    build.onLoad({ filter: /[\\/]piscina[\\/]dist[\\/]index\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const [before = '', after, ...more] = text.split("(__dirname, 'worker.js')");
      if (after === undefined || more.length > 0) throw new Error(`${path} starts its threads in another way by now`);
      return { contents: `${before}(__dirname, '${piscinaThread.name}.cjs')${after}`, loader: 'js' };
    });
  },
};
