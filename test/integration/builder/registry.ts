import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';

/** A package of the test registry: its package.json and its other files. */
export interface TestPackage {
  json: { name: string; version: string } & Record<string, unknown>;
  files?: Record<string, string | Uint8Array>;
}

/** A registry on loopback that serves archives made by tar, and the lockfiles that point to it. */
export interface TestRegistry extends AsyncDisposable {
  readonly url: string;
  /** Paths asked for. */
  readonly requests: string[];
  /** Text of a lockfile for `dependencies`, with every package of the registry installed. */
  lockfile(dependencies: Record<string, string>): string;
  /** The archive of a package. */
  archive(name: string): Promise<Buffer>;
}

/** Starts a registry with `packages`. */
export async function startRegistry(packages: readonly TestPackage[]): Promise<TestRegistry> {
  const temp = await makeTempDir('fnrun-registry-');
  const archives = new Map<string, Buffer>();
  for (const { json, files } of packages) {
    const dir = await mkdtemp(join(temp.path, 'pack-'));
    await mkdir(join(dir, 'package'));
    await writeTree(join(dir, 'package'), { 'package.json': JSON.stringify(json), ...files });
    await promisify(execFile)('tar', ['czf', join(dir, 'a.tgz'), '-C', dir, 'package']);
    archives.set(json.name, await readFile(join(dir, 'a.tgz')));
  }
  // npm's own cache would answer in place of the registry, and keep what tests make.
  const cacheBefore = process.env['npm_config_cache'];
  process.env['npm_config_cache'] = join(temp.path, 'npm-cache');
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    const archive = archives.get(
      decodeURIComponent(request.url ?? '')
        .slice(1)
        .replace(/\.tgz$/, ''),
    );
    response.writeHead(archive === undefined ? 404 : 200).end(archive);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    requests,
    lockfile(dependencies) {
      const entries = packages.map(({ json }) => {
        const integrity = `sha512-${createHash('sha512').update(archives.get(json.name)!).digest('base64')}`;
        const { name, version, dependencies: own, optionalDependencies, hasInstallScript } = json;
        const entry = {
          version,
          resolved: `${url}/${name}.tgz`,
          integrity,
          dependencies: own,
          optionalDependencies,
          hasInstallScript,
        };
        return [`node_modules/${name}`, entry] as const;
      });
      const lock = {
        name: 'app',
        lockfileVersion: 3,
        requires: true,
        packages: { '': { name: 'app', dependencies }, ...Object.fromEntries(entries) },
      };
      return JSON.stringify(lock, null, 2);
    },
    archive: async (name) => archives.get(name)!,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (cacheBefore === undefined) delete process.env['npm_config_cache'];
      else process.env['npm_config_cache'] = cacheBefore;
      await temp[Symbol.asyncDispose]();
    },
  };
}
