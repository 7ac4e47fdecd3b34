import type { Plugin } from 'esbuild';

const namespace = 'lean-undici';

const absent = `module.exports = () => { throw new Error('The gateway speaks HTTP/1.1 to apps, and this is bundled without the rest'); };`;

/** Leaves out of undici's client what a connection to an app has no use for, a quarter of its bytes: HTTP/2, and the bodies of fetch. */
export const leanUndici: Plugin = {
  name: namespace,
  setup(build) {
    build.onResolve({ filter: /(?:client-h2|fetch\/body)\.js$/ }, ({ path, importer }) =>
      importer.includes('undici') ? { path, namespace } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace }, () => ({ contents: absent, loader: 'js' }));
  },
};
