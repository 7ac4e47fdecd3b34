import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { DeploymentBody } from '../../router/control/types.ts';
import { runCli } from '../support/cli.ts';
import { tryGit, commitAll, initRepository } from '../support/git.ts';
import type { GitResult } from '../support/git.ts';
import { fetchFrom } from '../support/http.ts';
import { isRunning } from '../support/proc.ts';
import { startServe, type Serve } from '../support/serve.ts';
import { makeTempDir, writeTree, type TempDir } from '../support/temp-dir.ts';

vi.setConfig({ testTimeout: 60_000 });

let serve: Serve;

beforeAll(async () => {
  serve = await startServe();
}, 60_000);

afterAll(async () => {
  await serve?.stop();
});

interface TestApp {
  folder: TempDir;
  push: (files: Record<string, string>) => Promise<GitResult>;
  text: (path: string) => Promise<string>;
  deploys: () => Promise<DeploymentBody[]>;
}

async function makeApp(name: string): Promise<TestApp> {
  const folder = await makeTempDir();
  const remote = await serve.createApp(name);
  await initRepository(folder.path);
  return {
    folder,
    push: async (files) => {
      await writeTree(folder.path, files);
      await commitAll(folder.path, 'A change');
      return await tryGit(folder.path, ['push', remote, 'HEAD:main']);
    },
    text: async (path) => (await fetchFrom(serve.appSocket(name), { path })).text,
    deploys: async () => {
      const { stdout } = await runCli(['deploys', name, '--json', '--home', serve.home]);
      return JSON.parse(stdout) as DeploymentBody[];
    },
  };
}

const answer = (text: string, more = ''): string =>
  `${more}\nexport default () => new Response(${JSON.stringify(text)});`;

describe('the release command', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await makeApp('commands');
  });
  afterAll(async () => {
    await app.folder.remove();
  });

  test('a first push that is refused leaves nothing live, and says so', async () => {
    const pushed = await app.push({ 'functions/index.ts': 'export defualt 1;' });
    expect(pushed.code).not.toBe(0);
    expect(pushed.output).toMatch(/rejected +it does not build \(1 error\); nothing changed, nothing is live yet/);
  });

  test('release command runs in the pushed tree with the packages of the app, and its output is shown', async () => {
    const pushed = await app.push({
      'functions/index.ts': answer('v1'),
      'fnrun.json': JSON.stringify({ release: 'node migrate.mjs && echo done by $FNRUN_APP >&2' }),
      'migrate.mjs': `import { readFileSync } from 'node:fs';
        console.log('migrating', readFileSync('schema.sql', 'utf8').trim(), Object.keys(process.env).sort().join(' '));`,
      'schema.sql': 'CREATE TABLE t',
    });
    expect(pushed.output).toMatch(/release +node migrate\.mjs/);
    expect(pushed.output).toMatch(/ migrating CREATE TABLE t /);
    expect(pushed.output).toContain('done by commands');
    expect(pushed.output).toMatch(/release +ok \(/);
    // Nothing of the server's own environment.
    const keys = /CREATE TABLE t (.*)$/m.exec(pushed.output)![1]!.trim();
    expect(keys.split(' ').toSorted()).toEqual(
      ['FNRUN_APP', 'FNRUN_COMMIT', 'FNRUN_RELEASE', 'HOME', 'NODE_ENV', 'PATH', 'PWD'].toSorted(),
    );
    expect(await app.text('/')).toBe('v1');
  });

  test('release command that fails rejects the push, and what was live goes on', async () => {
    const pushed = await app.push({
      'functions/index.ts': answer('v2'),
      'migrate.mjs': 'console.log("no table"); process.exit(3);',
    });
    expect(pushed.code).not.toBe(0);
    expect(pushed.output).toContain('no table');
    expect(pushed.output).toMatch(
      /rejected +the release command failed after .*: it ended with exit code 3; what was live goes on/,
    );
    expect(await app.text('/')).toBe('v1');
    const [newest] = await app.deploys();
    expect(newest).toMatchObject({
      state: 'failed',
      step: 'command',
      error: 'release command: it ended with exit code 3',
    });
  });

  test('release command that runs too long is ended with all that it has started', async () => {
    const pushed = await app.push({
      'fnrun.json': JSON.stringify({ release: { command: 'sh stay.sh', timeoutMs: 300 } }),
      'stay.sh': 'trap "" TERM\nsleep 987 & echo started $!\nwait; sleep 987',
    });
    expect(pushed.output).toContain('it ran longer than 0.3 s');
    const pid = Number(/started (\d+)/.exec(pushed.output)![1]);
    expect(await isRunning(pid)).toBe(false);
  });

  test('release command runs for a push that changes no function', async () => {
    const pushed = await app.push({
      'functions/index.ts': answer('v1'),
      'fnrun.json': JSON.stringify({ release: 'echo again' }),
    });
    expect(pushed.code).toBe(0);
    expect(pushed.output).toContain('this release is the live one');
    expect(pushed.output).toMatch(/^remote: +again *$/m);
  });
});

describe('the check of a function', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await makeApp('checks');
  });
  afterAll(async () => {
    await app.folder.remove();
  });

  test('check is asked before a release goes live, and a bad answer rejects the push', async () => {
    const check = `export const config = { check: '/item/7?deep=1' };`;
    const good = `${check} export default (request: Request, ctx: any) => new Response('good ' + ctx.params.id + new URL(request.url).search);`;
    const pushed = await app.push({ 'functions/item/[id]/index.ts': good });
    expect(pushed.output).toMatch(/health +ok, 1 check \(/);
    const bad = `${check} export default () => new Response('no database', { status: 503 });`;
    const refused = await app.push({ 'functions/item/[id]/index.ts': bad });
    expect(refused.code).not.toBe(0);
    expect(refused.output).toContain('item/[id]: GET /item/7?deep=1 answered 503');
    expect(refused.output).toMatch(/rejected +the function item\/\[id\] does not answer its check/);
    expect(await app.text('/item/7?deep=1')).toBe('good 7?deep=1');
  });

  test.each([
    { what: 'throws', body: `() => { throw new Error('x'); }`, reason: 'answered 502' },
    {
      what: 'streams without end',
      body: `() => new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(9)) }))`,
      reason: null,
    },
    { what: 'leads elsewhere', body: `() => new Response('x')`, path: '/other', reason: 'leads to no function' },
  ])(
    'check of a function that $what is judged by the head of its answer',
    async ({ body, path = '/item/1', reason }) => {
      const pushed = await app.push({
        'functions/item/[id]/index.ts': `export const config = { check: '${path}' }; export default ${body};`,
      });
      if (reason === null) expect(pushed.output).toMatch(/health +ok/);
      else expect(pushed.output).toContain(`GET ${path} ${reason}`);
      expect(pushed.code === 0).toBe(reason === null);
    },
  );

  test('check that is no path fails the build', async () => {
    const pushed = await app.push({
      'functions/item/[id]/index.ts': answer('x'),
      'fnrun.json': JSON.stringify({ defaults: { check: 'health' } }),
    });
    expect(pushed.output).toContain('check must be a path such as "/health": it is "health"');
  });
});

test('push under load tells how many requests failed during the switch, from real counters', async () => {
  const app = await makeApp('counted');
  await app.push({ 'functions/index.ts': answer('v1') });
  let done = false;
  let asked = 0;
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const load = Array.from({ length: 4 }, async () => {
    while (!done) {
      await fetchFrom(serve.appSocket('counted'), { path: '/', agent });
      asked++;
    }
  });
  await vi.waitFor(() => expect(asked).toBeGreaterThan(20));
  const pushed = await app.push({ 'functions/index.ts': answer('v2') });
  done = true;
  await Promise.all(load);
  agent.destroy();
  const [, failed, all] = /switched +(\d+) of (\d+) requests failed during the switch/.exec(pushed.output) ?? [];
  expect(failed).toBe('0');
  expect(Number(all)).toBeGreaterThan(0);
  expect(Number(all)).toBeLessThanOrEqual(asked);
  await app.folder.remove();
});

describe('a release that fails', () => {
  let app: TestApp;
  const failing = `export default (request: Request) => {
    if (new URL(request.url).search === '') throw new Error('broken');
    return new Response('v2');
  };`;
  beforeAll(async () => {
    app = await makeApp('guarded');
    await app.push({ 'functions/index.ts': answer('v1'), 'functions/same/index.ts': answer('same') });
    for (let i = 0; i < 30; i++) await app.text('/');
  });
  afterAll(async () => {
    await app.folder.remove();
  });

  test('release that fails far more often than the one before is taken back by itself, and marked', async () => {
    const pushed = await app.push({ 'functions/index.ts': failing });
    expect(pushed.code).toBe(0);
    const release = (await app.deploys())[0]!.release;
    for (let i = 0; i < 25; i++) await app.text('/');
    await vi.waitFor(async () => expect(await app.text('/')).toBe('v1'), { timeout: 20_000, interval: 200 });
    await vi.waitFor(async () => {
      const [back, bad] = await app.deploys();
      expect(back).toMatchObject({ source: 'auto-rollback', live: true, state: 'succeeded' });
      expect(bad).toMatchObject({
        release,
        note: expect.stringMatching(/^taken back: \d+ of \d+ requests of index failed, 0 of 3\d before$/),
      });
    });
    const { stdout } = await runCli(['deploys', 'guarded', '--home', serve.home]);
    expect(stdout).toMatch(new RegExp(`${release} +taken back .*requests of index failed`));
    const { stdout: log } = await runCli(['logs', 'guarded', '--home', serve.home]);
    expect(log).toContain(`release ${release} was taken back`);
  });

  test('release that was taken back is told to the next pusher, and is no target of a rollback', async () => {
    const bad = (await app.deploys()).find(({ note }) => note !== null)!.release!;
    const pushed = await app.push({ 'functions/index.ts': answer('v3') });
    expect(pushed.output).toContain(`release ${bad} was taken back: `);
    const { stdout, code } = await runCli(['rollback', 'guarded', '--home', serve.home]);
    expect(code).toBe(0);
    expect(stdout).not.toContain(bad);
    expect(await app.text('/')).toBe('v1');
  });

  test('release of an app that wants none of it stays, however it fails', async () => {
    await app.push({ 'functions/index.ts': failing, 'fnrun.json': JSON.stringify({ autoRollback: false }) });
    const release = (await app.deploys())[0]!.release;
    for (let i = 0; i < 25; i++) await app.text('/');
    // Two looks of the watch that is not there: what does not happen has no event to wait for.
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    expect((await app.deploys())[0]).toMatchObject({ release, live: true, note: null });
  });
});
