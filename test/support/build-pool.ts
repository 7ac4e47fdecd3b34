import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildOptions, BuildResult, BuildSuccess } from '../../builder/build.ts';
import { formatProblems } from '../../builder/format-problems.ts';
import { findJail } from '../../deploy/build/jail.ts';
import type { Jail } from '../../deploy/build/jail.ts';
import { BuildPool } from '../../deploy/build/pool.ts';
import type { BuildPolicy } from '../../deploy/build/pool.ts';
import type { BuildPlaces } from '../../deploy/build/places.ts';
import { makeTempDir, writeTree } from './temp-dir.ts';

/** The jail of this machine. Fails in plain words where there is none: what is tested is that it holds. */
export async function realJail(): Promise<Jail> {
  const jail = await findJail({ wanted: true });
  if (!jail.closed) throw new Error(`The tests of the build jail need bubblewrap, and namespaces: ${jail.note}`);
  return jail;
}

/** A folder as a server's home, with apps that a pool of build processes builds. */
export interface PoolFixture extends AsyncDisposable {
  readonly home: string;
  readonly pool: BuildPool;
  placesOf(app: string): BuildPlaces;
  /** Writes the sources of an app. */
  write(app: string, files: Readonly<Record<string, string>>): Promise<void>;
  run(app: string, options?: Partial<BuildOptions>): Promise<BuildResult>;
  /** Builds; throws with the problems shown when it fails. */
  build(app: string, options?: Partial<BuildOptions>): Promise<BuildSuccess>;
}

/** Makes a pool; `jail` null: the fallback without one. */
export async function makePool(
  options: { jail?: Jail; policy?: BuildPolicy; wallMs?: number } = {},
): Promise<PoolFixture> {
  const { jail = await realJail(), policy = {}, ...rest } = options;
  const temp = await makeTempDir('fnrun-pool-');
  const pool = new BuildPool({ jail: Promise.resolve(jail), cgroups: null, policy, ...rest });
  const placesOf = (app: string): BuildPlaces => {
    const root = join(temp.path, 'apps', app);
    return { sourcesDir: join(root, 'build'), releasesDir: join(root, 'releases'), cacheDir: join(root, 'cache') };
  };
  const sourceOf = (app: string): string => join(placesOf(app).sourcesDir, 'tree');
  const run: PoolFixture['run'] = (app, more = {}) => {
    const { releasesDir, cacheDir } = placesOf(app);
    return pool.build({ sourceDir: sourceOf(app), releasesDir, cacheDir, ...more });
  };
  return {
    home: temp.path,
    pool,
    placesOf,
    write: (app, files) => writeTree(sourceOf(app), files),
    run,
    async build(app, more) {
      const result = await run(app, more);
      if (!result.ok) throw new Error(`The build failed:\n${formatProblems(result.problems)}`);
      return result;
    },
    async [Symbol.asyncDispose]() {
      await pool.stop();
      await temp.remove();
    },
  };
}

/** Processes of this machine whose command line or environment holds `text`. */
export async function processesWith(text: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (line.includes(text)) found.push(Number(name));
  }
  return found;
}
