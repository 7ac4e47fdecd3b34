import { mkdir, readFile, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { DomainChangeBody, SitesBody } from '../../../router/control/domain-types.ts';
import { createControlClient } from '../../../cli/control-client.ts';
import { runCli } from '../../support/cli.ts';
import { eventually } from '../../support/deadline.ts';
import { fetchFrom } from '../../support/http.ts';
import { pushTree, startServe, type Serve } from '../../support/serve.ts';
import { problemsOf, readOutcome, startSynced, type SyncedServer } from '../../support/sync.ts';
import { makeTempDir, writeTree, type TempDir } from '../../support/temp-dir.ts';

vi.setConfig({ testTimeout: 60_000 });

let serve: Serve;
let server: SyncedServer;
let source: TempDir;

beforeAll(async () => {
  serve = await startServe();
  server = await startSynced(serve.home, { server: { domain: 'apps.example' } });
  source = await makeTempDir();
  const remote = await serve.createApp('shop');
  await writeTree(source.path, {
    'functions/index.ts': 'export default () => new Response("shop");\nexport const config = { maxBodyBytes: 100 };',
    'fnrun.json': JSON.stringify({ domains: ['pushed.example'] }),
  });
  await pushTree(source.path, remote);
  await serve.createApp('blog');
}, 90_000);

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await serve?.stop();
  await source?.remove();
});

const cli = async (name: string, ...args: string[]) => await runCli([name, '--home', serve.home, ...args]);

async function change(app: string, body: DomainChangeBody): Promise<void> {
  await createControlClient(serve.home).request('POST', `/v1/apps/${app}/domains`, { body });
}

/** The newest request to root. */
const requested = async (): Promise<number> => Number(await readFile(join(serve.home, 'run/sync'), 'utf8'));

/** Makes an app, with root there: the server waits for it. */
async function createApp(name: string): Promise<string> {
  const before = await requested();
  const making = serve.createApp(name);
  await eventually(async () => (await requested()) > before);
  await server.sync();
  return await making;
}

async function statusOf(host: string): Promise<number> {
  const { status } = await fetchFrom(server.nginx.http, { method: 'GET', path: '/', headers: [['Host', host]] });
  return status;
}

/** Requests on `host`, one after the other, until stopped; resolves to what was not as it should be. */
function load(host: string): () => Promise<{ count: number; wrong: unknown[] }> {
  let on = true;
  let count = 0;
  const wrong: unknown[] = [];
  const running = (async () => {
    while (on) {
      const status = await statusOf(host).catch((error: unknown) => error);
      count += 1;
      if (status !== 308) wrong.push(status);
    }
  })();
  return async () => {
    on = false;
    await running;
    return { count, wrong };
  };
}

test('nginx follows apps and domains with one reload each, no request fails, and nothing new changes nothing', async () => {
  expect(problemsOf(await server.sync())).toEqual([]);
  expect(server.reloads).toBe(1);
  expect(await statusOf('shop.apps.example')).toBe(308);
  expect(await statusOf('pushed.example')).toBe(308);
  expect(await readFile(join(server.nginx.dir, 'fnrun/shop.conf'), 'utf8')).toContain('client_max_body_size 100;');

  const again = await server.sync();
  expect(again.parts.map(({ changed }) => changed)).toEqual([[]]);
  expect(server.reloads).toBe(1);

  const stop = load('shop.apps.example');
  await change('blog', { add: ['Blog.Example'] });
  await server.sync();
  await createApp('third');
  const { count, wrong } = await stop();
  expect(count).toBeGreaterThan(10);
  expect(wrong).toEqual([]);
  expect(server.reloads).toBe(3);
  expect(await statusOf('blog.example')).toBe(308);
});

test('the gateway has a domain at once, and the server asks root whenever nginx must know something', async () => {
  const at = async (host: string) =>
    (await fetchFrom(serve.gateway, { method: 'GET', path: '/', headers: [['Host', host]] })).status;
  let before = await requested();
  expect(await at('named.example')).toBe(404);
  await change('shop', { add: ['named.example'] });
  expect(await at('named.example')).toBe(200);
  expect(await requested()).toBeGreaterThan(before);

  before = await requested();
  await writeTree(source.path, {
    'functions/big.ts': 'export default () => new Response("big");',
    'public/a.txt': 'a',
  });
  const pushing = pushTree(source.path, join(serve.home, 'apps/shop/repo.git'));
  await eventually(async () => (await requested()) > before);
  await server.sync();
  await pushing;
  expect(await readFile(join(server.nginx.dir, 'fnrun/shop.conf'), 'utf8')).toMatch(
    /client_max_body_size 16m;[^]*try_files/,
  );

  // A release that changes nothing of it is none of root's business.
  before = await requested();
  await writeTree(source.path, { 'functions/big.ts': 'export default () => new Response("bigger");' });
  await pushTree(source.path, join(serve.home, 'apps/shop/repo.git'));
  expect(await requested()).toBe(before);
  await change('shop', { remove: ['named.example'] });
  expect(await at('named.example')).toBe(404);
});

test('a push tells its URL when nginx serves it, and does not wait for root twice in vain', async () => {
  const remote = await createApp('fresh');
  await server.sync();
  await using tree = await makeTempDir();
  const push = async (words: string, config: object): Promise<string> => {
    await writeTree(tree.path, {
      'functions/index.ts': `export default () => new Response(${JSON.stringify(words)});`,
      'fnrun.json': JSON.stringify(config),
    });
    return (await pushTree(tree.path, remote)).output;
  };
  const linesOf = (output: string, label: string): string[] =>
    output.split('\n').filter((line) => line.startsWith(`remote: ${label} `));
  const headers: [string, string][] = [['Host', 'fresh.localhost']];
  const isLive = async () => (await fetchFrom(serve.gateway, { method: 'GET', path: '/', headers })).status === 200;

  let isTold = false;
  const pushing = push('fresh', { domains: ['first.example'] }).finally(() => (isTold = true));
  await eventually(async () => (await cli('deploys', 'fresh', '--log')).stdout.includes('for nginx to have its site'));
  expect(await isLive()).toBe(true);
  expect(isTold).toBe(false);
  // A name that nginx does not know is closed without a word.
  await expect(statusOf('first.example')).rejects.toThrow();
  await server.sync();
  const first = await pushing;
  expect(await statusOf('first.example')).toBe(308);
  expect(linesOf(first, 'nginx')).toEqual([expect.stringMatching(/has its site \(\d/)]);
  expect(first.indexOf('remote: nginx')).toBeLessThan(first.indexOf('remote: live'));

  // Nothing that nginx must know has changed: nothing is waited for, nothing is said.
  const second = await push('fresher', { domains: ['first.example'] });
  expect(linesOf(second, 'nginx')).toEqual([]);
  expect(linesOf(second, 'live')).toHaveLength(1);

  // Root does not come: it is live all the same, and that is said.
  let isOver = false;
  const waiting = push('late', { domains: ['late.example'] }).finally(() => (isOver = true));
  await eventually(async () => (await cli('deploys', 'fresh', '--log')).stdout.includes('for nginx to have its site'));
  // Nobody but the pusher waits.
  expect((await cli('env', 'fresh', 'set', 'WORD=one')).stdout).toContain('fresh now serves');
  expect(isOver).toBe(false);
  const third = await waiting;
  expect(linesOf(third, 'note')).toEqual([expect.stringMatching(/nginx is not ready after 15.*domains fresh/)]);
  expect(linesOf(third, 'live')).toHaveLength(1);
  const before = performance.now();
  const fourth = await push('later', { domains: ['late.example'] });
  expect(performance.now() - before).toBeLessThan(10_000);
  expect(linesOf(fourth, 'note')).toHaveLength(1);

  // What is wrong with nginx as a whole is the pusher's business too.
  const last = await requested();
  const broken = push('broken', { domains: ['broken.example'] });
  await eventually(async () => (await requested()) > last);
  await eventually(async () => (await cli('deploys', 'fresh', '--log')).stdout.includes('for nginx to have its site'));
  await server.sync({ ask: async () => Promise.reject(new Error('away')) });
  expect(linesOf(await broken, 'warning')).toEqual([expect.stringContaining('nginx: server: away')]);

  // A name that another app has had stays there, whatever the apps are called; who pushes is told.
  const asked = await requested();
  const fifth = push('taken', { domains: ['late.example', 'pushed.example'] });
  await eventually(async () => (await requested()) > asked);
  await server.sync();
  expect(linesOf(await fifth, 'warning')).toEqual([expect.stringContaining("pushed.example is the app shop's")]);
  await createControlClient(serve.home).request('DELETE', '/v1/apps/fresh');
});

test('a domain has one app: who has it is named', async () => {
  const taken = await cli('domains', 'blog', 'add', 'pushed.example');
  expect(taken).toMatchObject({ code: 1, stderr: expect.stringMatching(/pushed\.example belongs to the app shop/) });
  expect(taken.stderr).toContain('fnrun.json of shop');
  await change('shop', { add: ['one.example'] });
  const added = await cli('domains', 'blog', 'add', 'two.example', 'one.example');
  expect(added.stderr).toContain('fnrun domains shop remove one.example');
  // All or nothing.
  expect((await cli('domains', 'blog', '--json')).stdout).not.toContain('two.example');
  expect(await cli('domains', 'shop', 'add', 'localhost')).toMatchObject({ code: 2 });
  for (const bad of ['no_host', '10.0.0.1', '-x.example', 'a b.example', '']) {
    await expect(change('shop', { add: [bad] })).rejects.toThrow(/is no host name|is an address/);
  }
  expect(await cli('domains', 'shop', 'remove', 'pushed.example')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('take it out there and push'),
  });
});

test('who adds a domain waits for root and hears what came of it', async () => {
  await server.sync();
  const adding = cli('domains', 'shop', 'add', 'waited.example', '--json');
  const { request } = await readOutcome(serve.home);
  await eventually(async () => Number(await readFile(join(serve.home, 'run/sync'), 'utf8')) > request);
  await server.sync();
  const { code, stdout } = await adding;
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({
    code: 0,
    pending: false,
    domains: [{ name: 'waited.example', from: 'server', takenBy: null, problem: null }],
  });
});

test('root follows no link that the user of the server makes, and believes no name', async () => {
  const run = join(serve.home, 'run');
  await using victim = await makeTempDir();
  const file = join(victim.path, 'file');
  await writeFile(file, '7', { mode: 0o600 });
  for (const name of ['sync.json', 'sync.json.new', 'sync']) {
    await unlink(join(run, name)).catch(() => undefined);
    await symlink(file, join(run, name));
  }
  const outcome = await server.sync();
  expect(outcome.request).toBe(0);
  expect(await readFile(file, 'utf8')).toBe('7');
  expect((await stat(join(run, 'sync.json'))).size).toBeGreaterThan(50);
  await unlink(join(run, 'sync'));

  const { sites } = await createControlClient(serve.home).request<SitesBody>('GET', '/v1/sites');
  const before = await readFile(join(server.nginx.dir, 'fnrun/shop.conf'), 'utf8');
  const wrong: [object, RegExp][] = [
    [{ domains: [{ name: 'x;return 200', askedAtMs: null }] }, /no host name/],
    [{ maxBodyBytes: '1; root /' }, /maxBodyBytes/],
    [{ previews: ['../../etc--shop'] }, /no preview/],
  ];
  for (const [change, words] of wrong) {
    const lie = { sites: sites.map((one) => (one.app === 'shop' ? { ...one, ...change } : one)) };
    expect(problemsOf(await server.sync({ ask: async () => lie })).join()).toMatch(words);
    // What was there stays.
    expect(await readFile(join(server.nginx.dir, 'fnrun/shop.conf'), 'utf8')).toBe(before);
  }
  const named = await server.sync({ ask: async () => ({ sites: [...sites, { ...sites[0], app: '../nginx' }] }) });
  expect(problemsOf(named).join()).toContain('named an app as none can be named');
  expect(problemsOf(await server.sync({ ask: async () => Promise.reject(new Error('away')) }))).toEqual([
    'server: away',
  ]);
  expect(await readFile(join(server.nginx.dir, 'fnrun/shop.conf'), 'utf8')).toBe(before);

  // A folder in the place of the folder: nothing is written elsewhere.
  await mkdir(join(victim.path, 'run'));
  await symlink(join(victim.path, 'run'), join(victim.path, 'link'));
  const { openFolder } = await import('../../../deploy/sync/folder.ts');
  await expect(openFolder(join(victim.path, 'link'))).rejects.toThrow(/ENOTDIR|ELOOP/);
});
