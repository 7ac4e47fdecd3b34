import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareText } from '../problem.ts';
import { pacer } from '../pace.ts';

/**
 * Names of the packages below a node_modules folder that are native addons, or load one by an
 * optional dependency per platform (as napi-rs and sharp do). A bundle cannot hold them.
 */
export async function findAddons(modulesDir: string): Promise<string[]> {
  const packages: Found[] = [];
  await walkModules(modulesDir, { packages, pace: pacer(), depth: 0 });
  const addons = new Set(packages.filter(({ native }) => native).map(({ name }) => name));
  const loaders = packages.filter(({ optional }) => optional.some((name) => addons.has(name))).map(({ name }) => name);
  return [...new Set([...addons, ...loaders])].toSorted(compareText);
}

interface Found {
  name: string;
  native: boolean;
  optional: string[];
}

interface Walk {
  packages: Found[];
  pace: () => Promise<void> | undefined;
  depth: number;
}

// Packages in packages in packages; deeper ones are loops of links.
const depthMax = 16;
// build/Release/x.node, prebuilds/linux-x64/x.node, lib/binding/node-v137/x.node
const addonDepthMax = 5;

async function walkModules(dir: string, walk: Walk): Promise<void> {
  if (walk.depth > depthMax) return;
  for (const name of folders(dir)) {
    if (name.startsWith('.')) continue;
    const names = name.startsWith('@') ? folders(join(dir, name)).map((each) => `${name}/${each}`) : [name];
    for (const each of names) {
      await walk.pace();
      const folder = join(dir, each);
      walk.packages.push({
        name: each,
        native: await isNative(folder, { pace: walk.pace, depth: 0 }),
        optional: optionalOf(folder),
      });
      await walkModules(join(folder, 'node_modules'), { ...walk, depth: walk.depth + 1 });
    }
  }
}

async function isNative(folder: string, { pace, depth }: { pace: Walk['pace']; depth: number }): Promise<boolean> {
  await pace();
  const entries = list(folder);
  if (
    entries.some(
      (entry) => entry.isFile() && (entry.name.endsWith('.node') || (depth <= 1 && entry.name === 'binding.gyp')),
    )
  )
    return true;
  if (depth === addonDepthMax) return false;
  for (const entry of entries) {
    if (
      entry.isDirectory() &&
      entry.name !== 'node_modules' &&
      (await isNative(join(folder, entry.name), { pace, depth: depth + 1 }))
    )
      return true;
  }
  return false;
}

function optionalOf(folder: string): string[] {
  try {
    const { optionalDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      optionalDependencies?: object;
    };
    return Object.keys(optionalDependencies ?? {});
  } catch {
    return [];
  }
}

function folders(dir: string): string[] {
  return list(dir)
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => name);
}

function list(dir: string) {
  try {
    return readdirSync(dir, { withFileTypes: true });
  } catch {
    return [];
  }
}
