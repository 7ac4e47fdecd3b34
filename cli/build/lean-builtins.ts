import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';

/**
 * What an ES module imports of a builtin is all of it: Node reads every export once, and `node:http` has some whose
 * first reading loads undici (16 MB and 30 ms for a process that uses none of it). So programs get these builtins from
 * `process.getBuiltinModule`, which reads nothing. The lists are what the product and the packages bundled with it use.
 */
const named: Record<string, readonly string[]> = {
  'node:http': ['Agent', 'STATUS_CODES', 'ServerResponse', 'createServer', 'maxHeaderSize', 'request'],
  'node:https': ['request'],
};

/** Packages that are bundled, so that what they import of these builtins is handled too, and one file is read for many. */
const bundled = /^(?:httpxy|hono\/router\/trie-router)$/;

const namespace = 'lean-builtin';

/** Makes programs start lighter; see above. */
export const leanBuiltins: Plugin = {
  name: namespace,
  setup(build) {
    build.onResolve({ filter: /^node:https?$/ }, ({ path }) => ({ path, namespace }));
    // httpxy serves HTTP/2 when asked to; fnrun does not ask, and http2 is 9 MB.
    build.onResolve({ filter: /^node:http2$/ }, ({ path, importer }) =>
      importer.includes('httpxy') ? { path, namespace } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace }, ({ path }) => ({ contents: shimOf(path), loader: 'js' }));
    build.onResolve({ filter: bundled }, ({ path }) => ({ path: fileURLToPath(import.meta.resolve(path)) }));
  },
};

function shimOf(builtin: string): string {
  if (builtin === 'node:http2') {
    return `export default { createSecureServer: (...args) => process.getBuiltinModule('node:http2').createSecureServer(...args) };`;
  }
  const names = named[builtin]!.join(', ');
  return `const builtin = process.getBuiltinModule('${builtin}');\nexport default builtin;\nexport const { ${names} } = builtin;`;
}
