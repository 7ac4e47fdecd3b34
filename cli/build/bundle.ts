import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readdir, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { build, type BuildOptions, type OutputFile } from 'esbuild';
import { leanMysql } from './lean-mysql.ts';
import { leanBuiltins } from './lean-builtins.ts';
import { leanPiscina, piscinaThread } from './lean-piscina.ts';
import { leanUndici } from './lean-undici.ts';

/** Programs that share chunks. */
const sharing = ['cli/main', 'builder/process/main'];

/**
 * Programs that are one file each, most because they start many times: a thread's entry must load in
 * about 2 ms, and git waits for the hook and for what answers ssh.
 */
const standalone = ['deploy/hook', 'cli/receive/main', 'cli/bench/load/main'];

/**
 * Threads are CommonJS: piscina loads its task with require(), and a thread that is ended while
 * Node runs an ES module for require() takes the whole process with it.
 */
const threads = ['runtime/worker/main'];

/** And what starts them, for which a request may wait: one file, which CommonJS loads without its loader of modules, and its packages. */
const hosts = ['runtime/host/main'];
const threadOfPiscina = { in: piscinaThread.in, out: `runtime/host/${piscinaThread.name}` };

/** Loaded by threads later, and bundled whole: a hundred files would take long to find. */
const late = [{ in: 'undici/index-fetch.js', out: 'runtime/worker/fetch/undici' }];

/** Loaded by the gateway with the first request that it carries. */
const gatewayClient = [{ in: 'undici/lib/dispatcher/client.js', out: 'router/gateway/undici' }];

/** And what functions import of the runtime, with the packages it is made of. */
const provided = ['runtime/worker/mysql/main'];

/** A chunk that no current program names may still be imported, and a program started, by a process that is older than this build. */
const chunkKeptMs = 24 * 60 * 60 * 1000;

const common: BuildOptions = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node26',
  packages: 'external',
  sourcemap: 'linked',
  metafile: false,
  write: false,
  logLevel: 'silent',
  entryNames: '[dir]/[name]',
  chunkNames: 'chunks/[name]-[hash]',
};

const cjs: BuildOptions = { format: 'cjs', outExtension: { '.js': '.cjs' } };

/** A package, whole. Names are kept: they show in stacks. */
const packed: BuildOptions = { packages: 'bundle', sourcemap: false, minifySyntax: true, minifyWhitespace: true };

/** `import.meta` for a CommonJS bundle. */
const moduleUrl: BuildOptions = {
  define: { 'import.meta.url': 'moduleUrl', 'import.meta.dirname': '__dirname' },
  banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
};

export interface BundleOptions {
  /** Age at which a chunk that no current program names, and a program that is none any more, is removed, in ms. @default a day */
  keepChunksMs?: number;
}

/**
 * Bundles the product's programs from the sources in `root` into `<root>/dist`. Each file is
 * renamed into place, chunks before the programs that import them, so a program that starts
 * meanwhile (or a second build) always finds a complete set.
 */
export async function bundleDist(
  root: string,
  { keepChunksMs = chunkKeptMs }: BundleOptions = {},
): Promise<{ files: number; ms: number }> {
  const startedAt = Date.now();
  const outdir = join(root, 'dist');
  const shared = { ...common, absWorkingDir: root, outbase: root, outdir };
  const sources = (names: string[]): string[] => names.map((name) => `${name}.ts`);
  const results = await Promise.all([
    build({ ...shared, entryPoints: sources(sharing), splitting: true, plugins: [leanBuiltins] }),
    build({ ...shared, entryPoints: sources(standalone) }),
    build({ ...shared, entryPoints: sources(threads), ...cjs, ...moduleUrl }),
    build({ ...shared, entryPoints: sources(hosts), ...cjs, ...moduleUrl, plugins: [leanBuiltins, leanPiscina] }),
    build({ ...shared, entryPoints: [threadOfPiscina], ...cjs }),
    build({ ...shared, entryPoints: late, ...cjs, ...packed }),
    build({ ...shared, entryPoints: gatewayClient, ...cjs, ...packed, plugins: [leanUndici] }),
    build({ ...shared, entryPoints: sources(provided), ...cjs, ...packed, plugins: [leanMysql] }),
  ]);
  const files = results.flatMap((result) => result.outputFiles ?? []);
  const chunks = files.filter((file) => isChunk(outdir, file.path));
  await Promise.all(chunks.map((file) => put(file.path, file)));
  await Promise.all(files.filter((file) => !chunks.includes(file)).map((file) => put(file.path, file)));
  await copyTypes(root, outdir);
  await prune(outdir, { current: new Set(files.map((file) => file.path)), keepMs: keepChunksMs });
  await writeStamp(join(outdir, '.stamp'), startedAt);
  return { files: files.length, ms: Date.now() - startedAt };
}

/** The files that function authors' types come from hold declarations only, so each is a .d.ts as it stands. */
async function copyTypes(root: string, outdir: string): Promise<void> {
  for (const [source, types] of [
    ['handler.ts', 'types.d.ts'],
    ['mysql.ts', 'mysql.d.ts'],
  ] as const) {
    const temporary = join(outdir, `types.${randomUUID()}.tmp`);
    await copyFile(join(root, 'runtime/contract', source), temporary);
    await rename(temporary, join(outdir, types));
  }
}

async function put(path: string, file: OutputFile): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(temporary, file.contents);
  await rename(temporary, path);
}

/** Chunks and programs of earlier builds. */
async function prune(
  outdir: string,
  { current, keepMs }: { current: ReadonlySet<string>; keepMs: number },
): Promise<void> {
  const entries = await readdir(outdir, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths) {
    if (current.has(path) || !/\.c?js(?:\.map)?$/.test(path)) continue;
    try {
      if (Date.now() - (await stat(path)).mtimeMs > keepMs) await unlink(path);
    } catch {
      // Another build pruned it.
    }
  }
}

/** Dated at the build's start: a source saved while the build ran is newer than it. */
async function writeStamp(path: string, startedAt: number): Promise<void> {
  await writeFile(path, '');
  await utimes(path, startedAt / 1000, startedAt / 1000);
}

function isChunk(outdir: string, path: string): boolean {
  return relative(outdir, path).startsWith('chunks');
}
