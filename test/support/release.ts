import { mkdir, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Manifest } from '../../runtime/contract/manifest.ts';
import type { ReleaseRef } from '../../runtime/supervisor/app-host.ts';

/** What a release has beside its modules. */
export interface ReleaseOptions extends Pick<Manifest, 'limits' | 'permissions' | 'database'> {
  /** @default "r1" */
  id?: string;
  env?: Record<string, string>;
}

/** Writes a release whose functions are these modules, keyed by route: what the builder would make of them. */
export async function writeRelease(
  dir: string,
  modules: Record<string, string>,
  { id = 'r1', env = {}, ...app }: ReleaseOptions = {},
): Promise<ReleaseRef> {
  const releaseDir = join(dir, id);
  await mkdir(join(releaseDir, 'functions'), { recursive: true });
  const functions: Manifest['functions'] = [];
  for (const [route, source] of Object.entries(modules)) {
    const name = route === '/' ? 'index' : route.slice(1);
    const bundle = `functions/${name.replaceAll(/\W/g, '_')}.mjs`;
    await writeFile(join(releaseDir, bundle), source);
    const hash = createHash('sha256').update(source).digest('hex');
    const file = `functions/${name}.js`;
    functions.push({
      name,
      route,
      source: file,
      bundle,
      commonjs: false,
      hash,
      bytes: source.length,
      settings: {},
      defaults: {},
      inspection: null,
    });
  }
  const dependencies = { lockHash: null, external: [] };
  const manifest: Manifest = { schema: 1, release: id, functions, public: [], dependencies, domains: [], ...app };
  await writeFile(join(releaseDir, 'manifest.json'), JSON.stringify(manifest));
  return { release: id, releaseDir, env };
}
