import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { buildLimits } from '../../runtime/contract/limits.ts';
import { sha256 } from '../hash.ts';
import { compareText, problem } from '../problem.ts';
import type { BuildProblem } from '../problem.ts';
import type { FoundFunction } from '../source/discover.ts';

/** A file under public/. */
export interface PublicFile {
  /** From public/, `/`-separated. */
  path: string;
  sha256: string;
  bytes: number;
}

/** What lies under public/. */
export interface PublicReading {
  files: PublicFile[];
  problems: BuildProblem[];
  warnings: BuildProblem[];
}

/** Lists and hashes the files under `<root>/public`; `root` is a real path. */
export async function readPublic(root: string): Promise<PublicReading> {
  const reading: PublicReading = { files: [], problems: [], warnings: [] };
  const paths: string[] = [];
  await walk({ root, reading, paths }, '');
  let bytes = 0;
  for (const path of paths.toSorted(compareText)) {
    // One after the other: a build must not hold all of public/ in memory.
    const { size } = await stat(join(root, 'public', path));
    bytes += size;
    if (
      size > buildLimits.sourceFileBytes ||
      bytes > buildLimits.sourceBytes ||
      reading.files.length >= buildLimits.sourceFiles
    ) {
      reading.problems.push(tooLarge(path, size));
      break;
    }
    const content = await readFile(join(root, 'public', path));
    reading.files.push({ path, sha256: sha256(content), bytes: content.byteLength });
  }
  return reading;
}

interface Walk {
  root: string;
  reading: PublicReading;
  paths: string[];
}

async function walk(state: Walk, folder: string): Promise<void> {
  const entries = await readdir(join(state.root, 'public', folder), { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (folder === '' && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return [];
      throw error;
    },
  );
  for (const entry of entries.toSorted((a, b) => compareText(a.name, b.name))) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    const file = `public/${path}`;
    // As nginx is usually told, and for the same reason: .env and .git are there by accident.
    if (entry.name.startsWith('.') && entry.name !== '.well-known') {
      if (entry.name !== '.gitkeep' && entry.name !== '.DS_Store') {
        state.reading.warnings.push(problem(null, `${file} is not published: its name begins with a dot`, { file }));
      }
      continue;
    }
    const kind = await kindOf(state.root, { file, entry });
    if (kind === 'folder') await walk(state, path);
    else if (kind === 'file') state.paths.push(path);
    else {
      const hint = 'put a file or a folder of the app there';
      state.reading.problems.push(
        problem('FN_SOURCE_ENTRY', `${file} is neither a file nor a folder of the app`, { file, hint }),
      );
    }
  }
}

async function kindOf(
  root: string,
  { file, entry }: { file: string; entry: { isSymbolicLink(): boolean; isDirectory(): boolean; isFile(): boolean } },
): Promise<'file' | 'folder' | 'other'> {
  if (!entry.isSymbolicLink()) return entry.isDirectory() ? 'folder' : entry.isFile() ? 'file' : 'other';
  try {
    const target = await realpath(join(root, file));
    if (!target.startsWith(root + sep)) return 'other';
    const linked = await stat(target);
    // Folders are not followed: two names for a tree, or a loop.
    return linked.isFile() ? 'file' : 'other';
  } catch {
    return 'other';
  }
}

function tooLarge(path: string, bytes: number): BuildProblem {
  const hint = 'serve large files from an object store or a CDN';
  const message =
    bytes > buildLimits.sourceFileBytes
      ? `public/${path} has ${bytes} bytes; a build accepts ${buildLimits.sourceFileBytes} in one file`
      : `public/ goes beyond what a build accepts: ${buildLimits.sourceFiles} files, ${buildLimits.sourceBytes} bytes`;
  return problem('FN_SOURCE_LIMIT', message, { file: `public/${path}`, hint });
}

/** Warns of each static file whose address, clean addresses included, is the route of a function. */
export function hiddenFunctions(files: readonly PublicFile[], functions: readonly FoundFunction[]): BuildProblem[] {
  const byRoute = new Map(functions.map((found) => [found.route, found]));
  return files.flatMap(({ path }) => {
    const hidden = addressesOf(path).flatMap((address) => byRoute.get(address) ?? []);
    return hidden.map((found) =>
      problem(
        null,
        `public/${path} hides ${found.source}: files are looked for before functions, and both answer ${found.route}`,
        {
          file: `public/${path}`,
          hint: 'rename one of them',
        },
      ),
    );
  });
}

function addressesOf(path: string): string[] {
  const addresses = [`/${path}`];
  if (path.endsWith('.html')) addresses.push(`/${path.slice(0, -'.html'.length)}`);
  if (path === 'index.html') addresses.push('/');
  else if (path.endsWith('/index.html')) addresses.push(`/${path.slice(0, -'/index.html'.length)}`);
  return addresses;
}
