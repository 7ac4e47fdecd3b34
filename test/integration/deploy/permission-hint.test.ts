import { expect, test } from 'vitest';
import { permissionHint } from '../../../deploy/permission-hint.ts';
import { startHost } from '../../support/host.ts';
import { fetchFrom } from '../../support/http.ts';
import { writeRelease } from '../../support/release.ts';

const needs: Record<string, string> = {
  childProcess: `import { execFileSync } from 'node:child_process'; execFileSync('true');`,
  addons: `process.dlopen({ exports: {} }, '/tmp/none.node');`,
  inspector: `import { Session } from 'node:inspector'; new Session().connect();`,
  wasi: `import { WASI } from 'node:wasi'; new WASI({ version: 'preview1' });`,
  fsRead: `import { readdirSync } from 'node:fs'; readdirSync('/var/lib');`,
  fsWrite: `import { writeFileSync } from 'node:fs'; writeFileSync('/var/fnrun-test', '');`,
};

test('module that needs a permission to load fails with the permission to ask for', async () => {
  const { dir, host } = await startHost({ readable: [] });
  const modules = Object.entries(needs).map(([name, code]) => [
    `/${name}`,
    `${code} export default () => new Response('ok')`,
  ]);
  const release = await writeRelease(dir, Object.fromEntries(modules));
  const { functions } = await host.load(release, { check: true });
  const told = functions.map(({ name, error }) => [name, permissionHint(error?.message ?? '')]);
  expect(told.map(([, hint]) => hint)).toEqual(
    told.map(([name]) => expect.stringContaining(`"permissions": { "${name}"`)),
  );
});

test('module loads with the permissions that its app asks for', async () => {
  const { deploy } = await startHost({ readable: [] });
  const { childProcess, inspector, wasi, fsRead } = needs;
  const code = [childProcess, inspector, wasi, fsRead].join('\n');
  await deploy(
    { '/': `${code} export default () => new Response('ok')` },
    { permissions: { childProcess: true, inspector: true, wasi: true, fsRead: ['/var'] } },
  );
});

test('an error of another kind has no such hint', () => {
  expect(permissionHint('Cannot find module x')).toBeNull();
});

test('permissions that are given leave no warnings of node in the log', async () => {
  const { deploy, logs, target } = await startHost();
  await deploy(
    { '/': `export default () => new Response('ok')` },
    { permissions: { childProcess: true, addons: true, inspector: true, wasi: true } },
  );
  expect((await fetchFrom(target, { path: '/' })).text).toBe('ok');
  expect(logs.filter(({ message }) => message.includes('Warning'))).toEqual([]);
});
