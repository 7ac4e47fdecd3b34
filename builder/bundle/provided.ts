import type { Plugin } from 'esbuild';
import { providedModules } from '../../runtime/contract/provided.ts';

const namespace = 'fnrun-provided';

/**
 * Modules such as `fnrun/mysql` are the runtime's: a bundle holds only the names of what they export, and the worker
 * that loads it gives them. So they are of the fnrun that serves, loaded once a thread, whatever package is installed.
 */
export const providedPlugin: Plugin = {
  name: namespace,
  setup(build) {
    const names = Object.keys(providedModules).map((name) => name.replace('/', '\\/'));
    build.onResolve({ filter: new RegExp(`^(?:${names.join('|')})$`) }, ({ path }) => ({
      path,
      namespace,
      sideEffects: false,
    }));
    build.onLoad({ filter: /.*/, namespace }, ({ path }) => ({ contents: shimOf(path), loader: 'js' }));
  },
};

/** The module that an input of a metafile stands for; none for any other input. */
export function providedName(input: string): string[] {
  return input.startsWith(`${namespace}:`) ? [input.slice(namespace.length + 1)] : [];
}

function shimOf(name: string): string {
  const { symbol, exports } = providedModules[name]!;
  return [
    `const load = globalThis[Symbol.for(${JSON.stringify(symbol)})];`,
    `if (load === undefined) throw new Error(${JSON.stringify(`"${name}" exists only in functions that fnrun serves`)});`,
    `export const { ${exports.join(', ')} } = load();`,
  ].join('\n');
}
