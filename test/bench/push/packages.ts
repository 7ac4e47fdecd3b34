import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startRegistry, type TestPackage } from '../../integration/builder/registry.ts';
import { repositoryRoot } from '../../support/cli.ts';

/** What an app of ordinary size asks for; all of it is among fnrun's own packages, so nothing is fetched from afar. */
const names = ['hono', '@hono/node-server', 'undici', 'ws'];

/** A registry on loopback with the packages of an app. */
export interface Packages extends AsyncDisposable {
  /** package.json and package-lock.json; another `edition` is another lockfile with the same packages. */
  files: (edition: number) => Record<string, string>;
}

/** Packs what fnrun itself has installed, and serves it. */
export async function startPackages(): Promise<Packages> {
  const packages = await Promise.all(names.map(readInstalled));
  const registry = await startRegistry(packages);
  const dependencies = Object.fromEntries(packages.map(({ json }) => [json.name, json.version]));
  return {
    files(edition) {
      const version = `1.0.${edition}`;
      const lock = JSON.parse(registry.lockfile(dependencies)) as object;
      return {
        'package.json': text({ name: 'app', version, private: true, type: 'module', dependencies }),
        'package-lock.json': text({ ...lock, version }),
        '.gitignore': 'node_modules/\n',
      };
    },
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

async function readInstalled(name: string): Promise<TestPackage> {
  const dir = join(repositoryRoot, 'node_modules', name);
  const files: Record<string, Uint8Array> = {};
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files[path.slice(dir.length + 1)] = await readFile(path);
  }
  const json = JSON.parse(await readFile(join(dir, 'package.json'), 'utf8')) as TestPackage['json'];
  return { json, files };
}

const text = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
