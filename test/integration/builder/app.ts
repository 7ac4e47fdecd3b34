import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from '../../../builder/build.ts';
import type { BuildFailure, BuildOptions, BuildSuccess } from '../../../builder/build.ts';
import { formatProblems } from '../../../builder/format-problems.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';

/** An app in a folder of its own, with folders for its releases and its cache. */
export interface TestApp extends AsyncDisposable {
  readonly dir: string;
  readonly source: string;
  readonly releases: string;
  readonly cache: string;
  /** Writes sources. */
  write(files: Readonly<Record<string, string | Uint8Array>>): Promise<void>;
  /** Builds; throws with the problems shown when it fails. */
  build(options?: Partial<BuildOptions>): Promise<BuildSuccess>;
  /** Builds what must fail. */
  fail(options?: Partial<BuildOptions>): Promise<BuildFailure>;
}

/** Makes an app of `files`. */
export async function makeApp(files: Readonly<Record<string, string | Uint8Array>>): Promise<TestApp> {
  const temp = await makeTempDir('fnrun-build-');
  const places = {
    source: join(temp.path, 'app'),
    releases: join(temp.path, 'releases'),
    cache: join(temp.path, 'cache'),
  };
  await writeTree(places.source, { '.keep': '', ...files });
  const run = (options: Partial<BuildOptions> = {}) =>
    build({ sourceDir: places.source, releasesDir: places.releases, cacheDir: places.cache, ...options });
  return {
    dir: temp.path,
    ...places,
    write: (more) => writeTree(places.source, more),
    async build(options) {
      const result = await run(options);
      if (!result.ok) throw new Error(`The build failed:\n${formatProblems(result.problems)}`);
      return result;
    },
    async fail(options) {
      const result = await run(options);
      if (result.ok) throw new Error('The build went well');
      return result;
    },
    [Symbol.asyncDispose]: temp.remove,
  };
}

// The test runner rewrites what it imports; Node's own loader is what a worker has.
const loadModule = createRequire(import.meta.url);

/** The exports of a function of a release. */
export function load(built: BuildSuccess, name: string): Record<string, any> {
  const found = built.manifest.functions.find((each) => each.name === name);
  if (found === undefined) throw new Error(`There is no function ${name}`);
  return loadModule(join(built.dir, found.bundle)) as Record<string, any>;
}

/** `file:line:column code` of each problem, for short expectations. */
export function places(result: BuildFailure): string[] {
  return result.problems.map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`);
}
