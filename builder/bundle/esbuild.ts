import { build } from 'esbuild';
import type { BuildOptions, Loader, Message, Metafile, OutputFile } from 'esbuild';
import type { BundleConfig } from '../../runtime/contract/app-config.ts';
import { boundaryPlugin } from './boundary.ts';
import { withEsbuild } from './esbuild-process.ts';
import { providedPlugin } from './provided.ts';
import { wasmPlugin } from './wasm.ts';

export { version as esbuildVersion } from 'esbuild';

/** What a call of esbuild sees. */
export interface Sources {
  /** The folder that all names are relative to, as an absolute path; nothing outside it is loaded. */
  root: string;
  /** The root is put together from symbolic links, which must not be looked through. */
  preserveSymlinks: boolean;
  /** Symbolic links below the root that lead out of the app; needed when links are preserved. */
  escapes: readonly string[];
  /** No tsconfig.json lies in the app: one of a folder above must not count. */
  ignoreTsconfig: boolean;
  config: BundleConfig;
  /** Names of packages left out of the bundles. */
  external: readonly string[];
}

/** An entry file and the name of its bundle without extension, both from the root. */
export interface Entry {
  source: string;
  out: string;
}

/** What esbuild made; `metafile` is null when there are errors. */
export interface EsbuildResult {
  errors: Message[];
  warnings: Message[];
  files: OutputFile[];
  metafile: Metafile | null;
}

/** Loaders by extension, besides those of scripts, JSON and wasm. docs/building.md lists them. */
const loaders: Record<string, Loader> = {
  ...Object.fromEntries(
    ['.txt', '.md', '.html', '.css', '.sql', '.svg', '.csv', '.xml', '.yaml', '.yml', '.graphql', '.gql'].map((e) => [
      e,
      'text',
    ]),
  ),
  ...Object.fromEntries(
    ['.bin', '.png', '.jpg', '.jpeg', '.gif', '.webp', '.ico', '.woff', '.woff2', '.ttf', '.pdf'].map((e) => [
      e,
      'binary',
    ]),
  ),
};

/**
 * Bundled CommonJS may call `require` for Node's modules and external packages. esbuild renames a
 * `require` that the user declares at the top, so the two never meet. One line: source maps count on it.
 */
export const requireBanner =
  "import { createRequire as __fnrunCreateRequire } from 'node:module'; const require = __fnrunCreateRequire(import.meta.url);";

/** Bundles `entries` together, sharing common code in chunks. Nothing is written. */
export function bundle(sources: Sources, entries: readonly Entry[]): Promise<EsbuildResult> {
  return run(sources, {
    entryPoints: entries.map(({ source, out }) => ({ in: source, out })),
    splitting: true,
    sourcemap: 'linked',
    banner: { js: requireBanner },
  });
}

/** Reads the import graph below `entries` only, without packages. */
export function scan(sources: Sources, entries: readonly Entry[]): Promise<EsbuildResult> {
  return run(sources, {
    entryPoints: entries.map(({ source, out }) => ({ in: source, out })),
    packages: 'external',
    splitting: true,
  });
}

async function run(sources: Sources, options: BuildOptions): Promise<EsbuildResult> {
  const { config, root } = sources;
  try {
    const result = await withEsbuild(() =>
      build({
        absWorkingDir: root,
        outdir: root,
        allowOverwrite: true,
        write: false,
        bundle: true,
        metafile: true,
        format: 'esm',
        platform: 'node',
        target: 'node26',
        charset: 'utf8',
        // Libraries look at constructor.name, and stacks name classes; bundling renames where two names meet.
        keepNames: true,
        legalComments: 'none',
        // A tsconfig.json that says otherwise wins; "preserve" does not.
        jsx: 'automatic',
        outExtension: { '.js': '.mjs' },
        chunkNames: 'chunks/[name]-[hash]',
        assetNames: 'assets/[name]-[hash]',
        loader: loaders,
        logLevel: 'silent',
        logLimit: 0,
        preserveSymlinks: sources.preserveSymlinks,
        external: [...sources.external],
        define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename', ...config.define },
        plugins: [providedPlugin, boundaryPlugin(root, sources.escapes), wasmPlugin(root)],
        ...(config.mainFields === undefined ? {} : { mainFields: config.mainFields }),
        ...(config.conditions === undefined ? {} : { conditions: ['module', ...config.conditions] }),
        ...(sources.ignoreTsconfig ? { tsconfigRaw: '{}' } : {}),
        ...options,
      }),
    );
    return {
      errors: [],
      warnings: result.warnings,
      files: result.outputFiles ?? [],
      metafile: result.metafile ?? null,
    };
  } catch (error) {
    const failure = error as Partial<Pick<EsbuildResult, 'errors' | 'warnings'>>;
    if (!Array.isArray(failure.errors)) throw error;
    return { errors: failure.errors, warnings: failure.warnings ?? [], files: [], metafile: null };
  }
}
