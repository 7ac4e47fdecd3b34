import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { compareText, problem } from '../problem.ts';
import type { BuildProblem } from '../problem.ts';
import type { Entry } from './esbuild.ts';
import { isPackageInput, reachable } from './graph.ts';

/** Warns of packages that one function bundles in several versions: their classes and state are not the same. */
export async function duplicatePackages(
  metafile: Metafile,
  { entries, root }: { entries: readonly Entry[]; root: string },
): Promise<BuildProblem[]> {
  const warnings: BuildProblem[] = [];
  for (const { source } of entries) {
    const folders = new Map<string, Set<string>>();
    for (const input of reachable(metafile, source)) {
      const at = isPackageInput(input) ? packageFolder(input) : null;
      if (at !== null) folders.set(at.name, (folders.get(at.name) ?? new Set()).add(at.folder));
    }
    for (const [name, copies] of folders) {
      if (copies.size < 2) continue;
      const sorted = [...copies].toSorted(compareText);
      const shown = await Promise.all(
        sorted.map(async (folder) => `${(await versionOf(join(root, folder))) ?? 'unknown'} (${folder})`),
      );
      const hint = 'run "npm dedupe", or ask for one version of it';
      warnings.push(
        problem(null, `${name} is bundled ${copies.size} times: ${shown.join(', ')}`, { file: source, hint }),
      );
    }
  }
  return warnings;
}

/** The package that a file lies in: the last `node_modules/<name>` of its path. */
export function packageFolder(path: string): { name: string; folder: string } | null {
  const match = /^(.*\bnode_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(path);
  return match === null ? null : { folder: match[1]!, name: match[2]! };
}

async function versionOf(folder: string): Promise<string | null> {
  try {
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version?: unknown };
    return typeof version === 'string' ? version : null;
  } catch {
    return null;
  }
}
