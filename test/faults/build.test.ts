import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { processesWith, realJail } from '../support/build-pool.ts';
import { eventually } from '../support/deadline.ts';
import { commitAll, git, initRepository, tryGit } from '../support/git.ts';
import type { GitResult } from '../support/git.ts';
import { startSilentRegistry, type SilentRegistry } from '../support/silent-registry.ts';
import { makeTempDir, writeTree, type TempDir } from '../support/temp-dir.ts';
import { startRegistry } from '../integration/builder/registry.ts';
import type { ProcessesBody } from '../../router/control/types.ts';
import { fetchFrom } from '../support/http.ts';
import { childNamed, descendantsOf } from '../support/proc.ts';
import { startFaultServer, type FaultServer } from './support/fault-server.ts';
import { expectUnharmed, otherApp } from './support/record.ts';

vi.setConfig({ testTimeout: 60_000 });

let server: FaultServer;
let registry: SilentRegistry;
let folder: TempDir;
let work: string;

const says = (text: string): string => `export default () => new Response(${JSON.stringify(text)});\n`;

beforeAll(async () => {
  // Says in plain words what is missing where there is no jail.
  await realJail();
  registry = await startSilentRegistry();
  server = await startFaultServer({ steady: {} });
  folder = await makeTempDir('fb-');
  work = join(folder.path, 'built');
  await writeTree(work, { 'functions/index.ts': says('one') });
  await initRepository(work);
  await git(work, 'remote', 'add', 'fnrun', await server.serve.createApp('built'));
  expectPushed(await push({}));
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
  await folder?.remove();
});

/** Commits `files` on top of what is live, and pushes. */
async function push(files: Readonly<Record<string, string>>): Promise<GitResult> {
  await tryGit(work, ['fetch', '-q', 'fnrun']);
  await tryGit(work, ['reset', '-q', '--hard', 'fnrun/main']);
  await writeTree(work, files);
  await commitAll(work, 'A change');
  return await tryGit(work, ['push', '-q', 'fnrun', 'HEAD:main']);
}

function expectPushed(pushed: GitResult): void {
  if (pushed.code !== 0) throw new Error(pushed.output);
}

const said = async (): Promise<string> => (await server.ask('built', { path: '/' })).text;

async function daemonPid(): Promise<number> {
  const control = { socketPath: join(server.serve.home, 'run/control.sock') };
  return ((await fetchFrom(control, { path: '/v1/ps' })).json() as ProcessesBody).daemon.pid;
}

/** Resolves when npm runs for a build; what its processes have in their command line is the daemon's folder. */
const untilInstalls = (): Promise<number[]> =>
  eventually(
    async () => {
      const found = await processesWith(join(server.serve.home, 'apps/built/cache/npm'));
      return found.length > 0 ? found : null;
    },
    { deadlineMs: 15_000 },
  );

test('27: imports from outside the app fail the push, with the path, and what was live goes on', async () => {
  const outside = join(server.serve.home, 'state.db');
  const report = await server.during('steady', { row: 27, fault: 'import from outside the app' }, () =>
    push({ 'functions/leak.ts': `import text from '${outside}' with { type: 'text' }; export default () => text;\n` }),
  );
  expect(report.result.code).not.toBe(0);
  expect(report.result.output).toContain('FN_IMPORT_OUTSIDE');
  expect(report.result.output).toContain(outside);
  expect(await said()).toBe('one');
  expectUnharmed(report, 'same app', ...otherApp);
});

test('28: a malicious postinstall does not run when its package is pushed', async () => {
  const marker = 'fnrun-evil-pushed';
  const evil = `require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '${marker}'], { detached: true, stdio: 'ignore' }).unref();`;
  await using packages = await startRegistry([
    {
      json: {
        name: 'evil',
        version: '1.0.0',
        main: 'index.js',
        scripts: { postinstall: 'node evil.js' },
        hasInstallScript: true,
      },
      files: { 'index.js': 'exports.word = "two";\n', 'evil.js': evil },
    },
  ]);
  const dependencies = { evil: '1.0.0' };
  const report = await server.during('steady', { row: 28, fault: 'package with a malicious postinstall' }, () =>
    push({
      'package.json': JSON.stringify({ name: 'app', dependencies }),
      'package-lock.json': packages.lockfile(dependencies),
      'functions/index.ts': 'import { word } from "evil";\nexport default () => new Response(word);\n',
    }),
  );
  expectPushed(report.result);
  expect(await said()).toBe('two');
  expect(await processesWith(marker)).toEqual([]);
  expectUnharmed(report, 'same app', ...otherApp);
});

test('the build process is killed during a push: that push fails with the reason, the next has another process', async () => {
  const report = await server.during('steady', { row: 28, fault: 'build process killed' }, async () => {
    const pushed = push(registry.files);
    const npm = await untilInstalls();
    // Other apps have theirs.
    const own = `--bind\0${join(server.serve.home, 'apps/built')}\0`;
    process.kill(await childNamed(await daemonPid(), own), 'SIGKILL');
    return { pushed: await pushed, npm };
  });
  expect(report.result.pushed.code).not.toBe(0);
  expect(report.result.pushed.output).toMatch(/FN_BUILD_DIED[^]*was killed/);
  await eventually(() => report.result.npm.every((pid) => !existsSync(`/proc/${pid}`)));
  expect(await said()).toBe('two');
  expectPushed(await push({ 'functions/index.ts': says('three'), 'package.json': '{}' }));
  expect(await said()).toBe('three');
  expectUnharmed(report, 'same app', ...otherApp);
});

test('a server that is killed during a build leaves no process of it', async () => {
  const pushed = push(registry.files);
  await untilInstalls();
  const daemon = await daemonPid();
  const left = await descendantsOf(daemon);
  const lines = await Promise.all(left.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8')));
  for (const program of ['builder/process/main.js', 'esbuild', 'bwrap', 'npm'])
    expect(lines.some((line) => line.includes(program))).toBe(true);
  await server.serve.cli.stop('SIGKILL');
  expect((await pushed).code).not.toBe(0);
  await eventually(() => left.every((pid) => !existsSync(`/proc/${pid}`)));
});
