import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { setupLimits } from '../../../runtime/contract/limits.ts';
import type { NeededPackage } from './packages.ts';
import { writeTar, type TarEntry } from './tar.ts';

/** What a server's fnrun is made of. */
export interface PayloadSources {
  /** The folder of fnrun's own package. */
  root: string;
  packages: readonly NeededPackage[];
  /** The program Node for the server. */
  node: string;
  /** The folder of npm's package. */
  npm: string;
}

/** fnrun and Node for a server, as one archive. */
export interface Payload {
  /** Name of its folder on the server, `0.1.0-1a2b3c4d5e6f`: another one for other bytes. */
  name: string;
  entries: readonly TarEntry[];
}

/** Where it has the sums of all other files, as sha256sum reads them. */
export const sumsFile = '.sha256sums';

// npm's and others' files for people and type checkers, and what only the machine that installed needs.
const leftOut = /(^|\/)(\.bin|\.package-lock\.json|\.stamp|\.cache)$/;

/** Lists and sums what the server gets. Reads every file. */
export async function describePayload({ root, packages, node, npm }: PayloadSources): Promise<Payload> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const entries: TarEntry[] = [
    { path: 'bin/node', mode: 0o755, content: { file: node } },
    { path: 'package.json', mode: 0o644, content: { file: join(root, 'package.json') } },
    { path: 'cli/fnrun.js', mode: 0o755, content: { file: join(root, 'cli/fnrun.js') } },
    ...(await filesBelow(join(root, 'dist'), 'dist')),
    ...(await filesBelow(join(root, 'docs'), 'docs')),
    ...(await filesBelow(npm, 'lib/node_modules/npm')),
  ];
  // What lies in a package's own node_modules is a package by itself.
  for (const { dir, path } of packages) entries.push(...(await filesBelow(dir, path, { without: 'node_modules' })));
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  const sums: string[] = [];
  const whole = createHash('sha256');
  const summed: TarEntry[] = [];
  for (const { path, mode, content } of entries) {
    const sum = 'file' in content ? await sumOf(content.file) : '';
    summed.push({ path, mode, content: 'file' in content ? { ...content, sha256: sum } : content });
    sums.push(`${sum}  ${path}\n`);
    whole.update(`${mode.toString(8)} ${sum} ${path}\n`);
  }
  const name = `${version}-${whole.digest('hex').slice(0, 12)}`;
  return { name, entries: [...summed, { path: sumsFile, mode: 0o644, content: { text: sums.join('') } }] };
}

/** The archive as a file below `cache`, made when it is not there yet; and its sum. The oldest ones there go. */
export async function packPayload(
  { name, entries }: Payload,
  { cache, arch }: { cache: string; arch: string },
): Promise<{ file: string; bytes: number; sha256: string }> {
  await mkdir(cache, { recursive: true });
  const file = join(cache, `${name}-${arch}.tar.gz`);
  if (existsSync(file)) {
    const now = new Date();
    await utimes(file, now, now);
  } else {
    const partial = `${file}.${process.pid}`;
    try {
      // Level 4 takes a third of the time of 6, and the archive is 2 % larger.
      await pipeline(Readable.from(writeTar(entries)), createGzip({ level: 4 }), createWriteStream(partial));
      await rename(partial, file);
    } finally {
      await rm(partial, { force: true });
    }
    await sweep(cache);
  }
  return { file, bytes: (await stat(file)).size, sha256: await sumOf(file) };
}

async function sweep(cache: string): Promise<void> {
  const names = await readdir(cache);
  const aged = await Promise.all(
    names.map(async (name) => ({ path: join(cache, name), at: (await stat(join(cache, name))).mtimeMs })),
  );
  const old = aged.toSorted((a, b) => b.at - a.at).slice(setupLimits.payloadsKept);
  await Promise.all(old.map(({ path }) => rm(path, { force: true })));
}

async function filesBelow(dir: string, path: string, { without }: { without?: string } = {}): Promise<TarEntry[]> {
  const found = await readdir(dir, { withFileTypes: true });
  const lists = await Promise.all(
    found.map(async (entry): Promise<TarEntry[]> => {
      const [from, to] = [join(dir, entry.name), `${path}/${entry.name}`];
      if (leftOut.test(to) || entry.name === without) return [];
      if (entry.isDirectory()) return await filesBelow(from, to);
      if (!entry.isFile()) return [];
      const { mode } = await stat(from);
      return [{ path: to, mode: (mode & 0o111) === 0 ? 0o644 : 0o755, content: { file: from } }];
    }),
  );
  return lists.flat();
}

async function sumOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>)
    hash.update(chunk);
  return hash.digest('hex');
}
