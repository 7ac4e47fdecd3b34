import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import { own } from './report.ts';
import { startForeign, startOwn, type BenchServer } from './server.ts';

/** The apps below fixtures/. */
export type Fixture = 'json' | 'echo' | 'bytes' | 'stream' | 'cpu';

/** A server that can run a fixture's handler. */
export interface Side {
  name: string;
  /** For people; throws when it is not installed. */
  version: () => string;
  start: (fixture: Fixture, options: { profile?: string | undefined }) => Promise<BenchServer>;
}

const folder = import.meta.dirname;
const modules = join(folder, 'node_modules');

/** An app host of fnrun, connections passed to it as the daemon does. */
export const fnrun: Side = {
  name: own,
  version: () => `${versionIn(join(folder, '../..'))} on Node ${process.version}`,
  start: (fixture, { profile }) =>
    startOwn('fnrun-app.ts', [
      join(folder, 'fixtures', fixture),
      ...(profile === undefined ? [] : ['--profile', profile]),
    ]),
};

/** The floor: what the handler costs with nothing around it. */
export const nodeHttp: Side = {
  name: 'node:http',
  version: () => `Node ${process.version}`,
  start: (fixture) => startOwn('node-http.ts', [fixture]),
};

/** The same handler on the main thread of one process, no isolation at all. */
export const hono: Side = {
  name: '@hono/node-server',
  version: () => `${versionIn(join(folder, '../../node_modules/@hono/node-server'))} on Node ${process.version}`,
  start: (fixture) => startOwn('hono-node-server.ts', [join(folder, 'fixtures', fixture, 'functions/index.ts')]),
};

const workerd: Side = {
  name: 'workerd',
  version: () => versionIn(platformPackage('workerd')),
  start: (fixture) =>
    withBundle(fixture, {}, async (dir) => {
      await writeFile(join(dir, 'config.capnp'), workerdConfig);
      return await startForeign(join(platformPackage('workerd'), 'bin/workerd'), {
        args: (port) => ['serve', 'config.capnp', '--socket-addr', `http=127.0.0.1:${port}`],
        cwd: dir,
      });
    }),
};

const workerdConfig = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "bundle.mjs")],
  compatibilityDate = "2026-11-01"
);
`;

const functionsFramework: Side = {
  name: 'functions-framework',
  version: () => `${versionIn(join(modules, '@google-cloud/functions-framework'))} on Node ${process.version}`,
  start: (fixture) =>
    startForeign(process.execPath, {
      args: (port) => [
        join(modules, '@google-cloud/functions-framework/build/src/main.js'),
        `--target=${fixture}`,
        `--source=${join(folder, 'peers/functions-framework.js')}`,
        `--port=${port}`,
      ],
      cwd: folder,
    }),
};

const deno: Side = {
  name: 'deno serve',
  version: () => versionIn(platformPackage('deno')),
  start: (fixture) =>
    withBundle(fixture, {}, (dir) =>
      startForeign(join(platformPackage('deno'), 'deno'), {
        args: (port) => ['serve', '--host', '127.0.0.1', '--port', String(port), 'bundle.mjs'],
        cwd: dir,
        env: () => ({ DENO_NO_UPDATE_CHECK: '1', DENO_DIR: join(dir, '.deno') }),
      }),
    ),
};

const bun: Side = {
  name: 'bun',
  version: () => versionIn(platformPackage('bun')),
  start: (fixture) =>
    withBundle(fixture, { hostname: "'127.0.0.1'" }, (dir) =>
      startForeign(join(platformPackage('bun'), 'bin/bun'), {
        args: () => ['bundle.mjs'],
        cwd: dir,
        env: (port) => ({ PORT: String(port) }),
      }),
    ),
};

/** All of them, fnrun first. */
export const allSides: readonly Side[] = [fnrun, hono, nodeHttp, workerd, functionsFramework, deno, bun];

/** The folder of a program that comes as one npm package for each platform. */
function platformPackage(program: 'workerd' | 'deno' | 'bun'): string {
  const arm = process.arch === 'arm64';
  const names = {
    workerd: `@cloudflare/workerd-linux-${arm ? 'arm64' : '64'}`,
    deno: `@deno/linux-${process.arch}-glibc`,
    bun: `@oven/bun-linux-${arm ? 'aarch64' : 'x64'}`,
  };
  const path = join(modules, names[program]);
  return path;
}

function versionIn(path: string): string {
  if (!existsSync(path)) throw new Error(`not installed (${relative(folder, path)}): npm ci in test/bench brings it`);
  return (JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as { version: string }).version;
}

/** Starts a server in a folder with the fixture's handler as one module that exports `{ fetch }`; the folder goes with the server. */
async function withBundle(
  fixture: Fixture,
  exported: Record<string, string>,
  start: (dir: string) => Promise<BenchServer>,
): Promise<BenchServer> {
  const dir = await mkdtemp(join(tmpdir(), 'fnrun-bench-'));
  const remove = (): Promise<void> => rm(dir, { recursive: true, force: true });
  const extra = Object.entries(exported).map(([key, value]) => `, ${key}: ${value}`);
  try {
    await build({
      stdin: {
        contents: `import handler from './functions/index.ts';\nexport default { fetch: handler${extra.join('')} };`,
        resolveDir: join(folder, 'fixtures', fixture),
      },
      bundle: true,
      format: 'esm',
      target: 'es2024',
      outfile: join(dir, 'bundle.mjs'),
    });
    const server = await start(dir);
    return {
      ...server,
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
