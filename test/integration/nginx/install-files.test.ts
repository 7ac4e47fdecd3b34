import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { directive, type NginxFile } from '../../../deploy/nginx/directive.ts';
import { installFiles } from '../../../deploy/nginx/machine/install-files.ts';
import { validateNginx } from '../../../deploy/nginx/machine/validate-nginx.ts';
import { planMain } from '../../../deploy/nginx/plan.ts';
import { planSite } from '../../../deploy/nginx/site/site.ts';
import { runCli } from '../../support/cli.ts';
import { installedNginx, nginxFacts, selfSigned, siteOf } from '../../support/nginx.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

const site = async (app: string, dir = '/srv/fnrun'): Promise<NginxFile> =>
  planSite(await nginxFacts(), siteOf(app, dir));
const bad = (file: NginxFile): NginxFile => ({
  ...file,
  items: [...file.items, directive('no_such_directive', ['on'])],
});

test("one app's bad file keeps nobody else's away, and its last good one stays", async () => {
  await using temp = await makeTempDir();
  const dir = temp.path;
  const judge = await installedNginx();
  const main = planMain(await nginxFacts());
  const [shop, blog] = [await site('shop'), await site('blog')];
  const first = await installFiles({ dir, main, sites: [shop, blog], judge });
  expect(first.map(({ outcome }) => outcome)).toEqual(['written', 'written', 'written']);
  const before = await readFile(join(dir, 'fnrun/shop.conf'), 'utf8');
  const next = await installFiles({ dir, main, sites: [bad(shop), await site('blog', '/srv/other')], judge });
  expect(Object.fromEntries(next.map(({ name, outcome }) => [name, outcome]))).toEqual({
    'nginx.conf': 'unchanged',
    'fnrun/shop.conf': 'refused',
    'fnrun/blog.conf': 'written',
  });
  expect(next.find(({ outcome }) => outcome === 'refused')?.complaints).toEqual([
    expect.stringMatching(/unknown directive "no_such_directive" in fnrun\/shop\.conf:\d+/),
  ]);
  expect(await readFile(join(dir, 'fnrun/shop.conf'), 'utf8')).toBe(before);
  expect(await readFile(join(dir, 'fnrun/blog.conf'), 'utf8')).toContain('/srv/other');
  const last = await installFiles({ dir, main, sites: [shop], judge });
  expect(last).toContainEqual({ name: 'fnrun/blog.conf', outcome: 'removed', complaints: [] });
  expect(await readdir(join(dir, 'fnrun'))).toEqual(['shop.conf']);
});

test('a bad main part changes nothing', async () => {
  await using temp = await makeTempDir();
  const main = bad(planMain(await nginxFacts()));
  const results = await installFiles({
    dir: temp.path,
    main,
    sites: [await site('shop')],
    judge: await installedNginx(),
  });
  expect(results.map(({ outcome }) => outcome)).toEqual(['refused', 'refused']);
  expect(await readdir(temp.path)).toEqual([]);
});

test('nginx takes every variant without a warning', async () => {
  await using temp = await makeTempDir();
  const tls = await selfSigned(temp.path);
  const judge = await installedNginx();
  const anyFacts = fc.record({
    tls: fc.constantFrom(null, tls),
    ipv6: fc.boolean(),
    enforceLimits: fc.boolean(),
    trustedProxies: fc.constantFrom([], ['10.0.0.0/8', '2001:db8::/32']),
  });
  const anySite = fc.record({
    hasPublic: fc.boolean(),
    previewDomains: fc.constantFrom(null, [], ['example.com', `${'a'.repeat(63)}.${'b'.repeat(63)}.example.com`]),
    names: fc.constantFrom(['shop.*'], ['shop.example.com', `${'c'.repeat(63)}.example.com`]),
    apps: fc.constantFrom('/srv/my apps', '/srv/quo"te', "/srv/it's", '/srv/a;b{c}#d\\e'),
    maxBodyBytes: fc.nat(),
    timeoutMs: fc.integer({ min: 1, max: 900_000 }),
  });
  await fc.assert(
    fc.asyncProperty(anyFacts, anySite, async (own, of) => {
      const facts = await nginxFacts(own);
      const files = [planMain(facts), planSite(facts, siteOf('shop', '/srv/fnrun', of))];
      expect(await validateNginx(files, judge)).toEqual({ ok: true, complaints: [] });
    }),
    { numRuns: 25 },
  );
}, 60_000);

test('fnrun render nginx prints the main part where no server runs, and says so', async () => {
  await using temp = await makeTempDir();
  const args = ['render', 'nginx', '--home', temp.path, '--no-tls'];
  const { code, stdout, stderr } = await runCli(args);
  expect(code).toBe(0);
  expect(stdout).toContain('worker_processes auto;');
  expect(stderr).toMatch(/^fnrun: the main part only: no server runs in \S+ that could tell its apps\n$/);
  expect((await runCli([...args.slice(0, 2), 'shop', ...args.slice(2)])).stderr).toContain('No fnrun server runs');
});

test.each([
  ['--nginx-version 1.18.0', 'too old'],
  ['--nginx-version new', 'reads like 1.22.1'],
  ['--domain a;b', 'is no host name'],
  ['--tls-cert /x', 'TLS needs both'],
  ['--trust-proxy 300.1.1.1', 'an address or a network'],
  ['--user root;x', 'system user'],
  ['--memory 4096', '--memory is no option of fnrun render nginx'],
])('fnrun render nginx %s is refused', async (options, why) => {
  const { code, stderr } = await runCli(['render', 'nginx', '--home', '/nowhere', ...options.split(' ')]);
  expect([code, stderr]).toEqual([2, expect.stringContaining(why)]);
});

test('fnrun render nginx renders for another version, unchecked, and says so', async () => {
  const { code, stdout, stderr } = await runCli([
    'render',
    'nginx',
    '--home',
    '/nowhere',
    '--no-tls',
    '--nginx-version',
    '1.26.3',
  ]);
  expect([code, stderr]).toEqual([0, expect.stringContaining('not checked: nginx 1.26.3 is not here')]);
  expect(stdout).toContain('for nginx 1.26.3');
});
