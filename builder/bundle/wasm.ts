import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Plugin } from 'esbuild';

/** Namespace of the bytes behind a wasm import; the rest of the input's name is a path from the root. */
export const wasmNamespace = 'wasm-bytes';

/**
 * `import module from './x.wasm'` gives a compiled `WebAssembly.Module`, as on Workers. The
 * bytes lie as a file beside the bundles, so that a large module is not parsed as text.
 */
export function wasmPlugin(root: string): Plugin {
  return {
    name: 'fnrun-wasm',
    setup(build) {
      build.onLoad({ filter: /\.wasm$/, namespace: 'file' }, ({ path, with: attributes }) => {
        // `with { type: 'bytes' }` and the like are esbuild's own.
        if (attributes['type'] !== undefined || !path.startsWith(`${root}/`)) return null;
        const name = JSON.stringify(`${wasmNamespace}:${relative(root, path)}`);
        const contents = [
          `import { readFileSync } from 'node:fs';`,
          `import file from ${name};`,
          `export default new WebAssembly.Module(readFileSync(new URL(file, import.meta.url)));`,
        ];
        return { contents: contents.join('\n'), loader: 'js' };
      });
      build.onResolve({ filter: new RegExp(`^${wasmNamespace}:`) }, ({ path }) => ({
        path: path.slice(wasmNamespace.length + 1),
        namespace: wasmNamespace,
      }));
      build.onLoad({ filter: /.*/, namespace: wasmNamespace }, async ({ path }) => ({
        contents: await readFile(join(root, path)),
        loader: 'file',
      }));
    },
  };
}
