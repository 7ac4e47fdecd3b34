import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startDaemon, type Daemon } from '../../../cli/daemon.ts';
import type { AccessBody, KeyBody, KeysBody, OpenedBody } from '../../../router/control/key-types.ts';
import { fetchFrom, type HttpResponse } from '../../support/http.ts';
import { makeTempDir, type TempDir } from '../../support/temp-dir.ts';

let dir: TempDir;
let home: string;
let daemon: Daemon;
let logged: string[];

beforeEach(async () => {
  dir = await makeTempDir('fn-');
  home = join(dir.path, 'h');
  logged = [];
  daemon = await start();
});

afterEach(async () => {
  await daemon.stop();
  await dir.remove();
});

const start = (): Promise<Daemon> =>
  startDaemon({ home, listen: null, version: '1.2.3', log: (line) => void logged.push(line) });

async function restart(): Promise<void> {
  await daemon.stop();
  daemon = await start();
}

interface Asked {
  method?: string;
  body?: unknown;
  key?: string;
}

function ask(path: string, { method = 'GET', body, key }: Asked = {}): Promise<HttpResponse> {
  return fetchFrom(
    { socketPath: join(home, 'run/control.sock') },
    {
      method,
      path,
      headers: key === undefined ? [] : [['fnrun-key', key]],
      ...(body !== undefined && { body: JSON.stringify(body) }),
    },
  );
}

/** A sound key of ed25519, whatever nobody has the other half of. */
function publicKey(seed: number): string {
  const field = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const blob = Buffer.concat([field(Buffer.from('ssh-ed25519')), field(Buffer.alloc(32, seed))]);
  return `ssh-ed25519 ${blob.toString('base64')} someone`;
}

const bare = { apps: [], branches: null, create: false, readOnly: false, admin: false };
const add = (name: string, seed: number, grant: object): Promise<HttpResponse> =>
  ask('/v1/keys', { method: 'POST', body: { ...bare, name, publicKey: publicKey(seed), ...grant } });
const code = (response: HttpResponse): string => (response.json() as { code: string }).code;

test('keys are added, listed and removed, and the file that sshd reads follows', async () => {
  const added = await add('ann@laptop', 1, { apps: ['shop', 'blog', 'shop'], branches: ['main'] });
  expect(added.status).toBe(201);
  const key = added.json() as KeyBody;
  expect(key).toMatchObject({ name: 'ann@laptop', apps: ['blog', 'shop'], branches: ['main'], type: 'ssh-ed25519' });
  expect(((await ask('/v1/keys')).json() as KeysBody).keys).toEqual([key]);
  const file = join(home, 'authorized_keys');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const text = await readFile(file, 'utf8');
  expect(text).toMatch(
    new RegExp(
      `\nrestrict,command="exec \\S*node\\S* \\S+/cli/fnrun\\.js receive --key ${key.id} --home ${home}" ssh-ed25519 \\S+ fnrun:ann@laptop\n`,
    ),
  );
  await restart();
  expect(((await ask('/v1/keys')).json() as KeysBody).keys).toEqual([key]);
  expect(await readFile(file, 'utf8')).toBe(text);
  expect((await ask('/v1/keys/ann@laptop', { method: 'DELETE' })).status).toBe(204);
  expect(await readFile(file, 'utf8')).toBe('');
  expect(code(await ask('/v1/keys/ann@laptop', { method: 'DELETE' }))).toBe('FN_NO_SUCH_KEY');
});

test('file of another place is written when config.json names it, and its other lines stay', async () => {
  const file = join(dir.path, 'user/.ssh/authorized_keys');
  const foreign = `# by hand\n${publicKey(9)}\n`;
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, foreign);
  await writeFile(join(home, 'config.json'), JSON.stringify({ authorizedKeys: file }));
  await add('ann', 1, { create: true });
  await restart();
  const text = await readFile(file, 'utf8');
  expect(text.startsWith(`${foreign}# BEGIN`)).toBe(true);
  expect(text).toContain('fnrun:ann\n');
  const twice = await add('ben', 9, { create: true });
  expect(code(twice)).toBe('FN_KEY_EXISTS');
  expect(twice.text).toContain('gives it a shell');
  await ask('/v1/keys/ann', { method: 'DELETE' });
  expect(await readFile(file, 'utf8')).toBe(foreign);
});

test('server starts without the file when it cannot be written, and says so', async () => {
  await writeFile(join(home, 'config.json'), JSON.stringify({ authorizedKeys: join(home, 'state.db/keys') }));
  await add('ann', 1, { create: true });
  await restart();
  expect(logged.join('\n')).toContain(`cannot write ${join(home, 'state.db/keys')}: `);
  expect((await ask('/v1/health')).status).toBe(200);
});

test.each([
  ['a name that is none', { name: 'a b' }, 'FN_USAGE'],
  ['a name with a line break', { name: 'a\nb' }, 'FN_USAGE'],
  ['an app that cannot be one', { apps: ['../x'] }, 'FN_BAD_APP_NAME'],
  ['a branch that cannot be one', { branches: ['a b'] }, 'FN_USAGE'],
  ['a pattern that is none', { branches: ['*'] }, 'FN_USAGE'],
  ['no word about apps', { apps: undefined }, 'FN_BAD_REQUEST'],
  ['no word about branches', { branches: undefined }, 'FN_BAD_REQUEST'],
  ['a key that is none', { publicKey: 'hello' }, 'FN_BAD_KEY'],
])('POST /v1/keys refuses %s', async (_, wrong, expected) => {
  const refused = await add('ann', 1, { apps: ['shop'], ...wrong });
  expect(code(refused)).toBe(expected);
  expect(((await ask('/v1/keys')).json() as KeysBody).keys).toEqual([]);
});

test('POST /v1/keys refuses a name and a key that are there already', async () => {
  await add('ann', 1, { create: true });
  expect(code(await add('ann', 2, { create: true }))).toBe('FN_KEY_EXISTS');
  expect(code(await add('ben', 1, { create: true }))).toBe('FN_KEY_EXISTS');
});

test('request of a key may do what the key may, and nothing once it is removed', async () => {
  await ask('/v1/apps', { method: 'POST', body: { name: 'shop' } });
  await ask('/v1/apps', { method: 'POST', body: { name: 'blog' } });
  const { id: key } = (await add('ann', 1, { apps: ['shop'] })).json() as KeyBody;
  expect((await ask('/v1/access', { key })).json()).toEqual({ key: { id: key, name: 'ann' }, may: 'may push to shop' });
  expect(((await ask('/v1/access')).json() as AccessBody).key).toBeNull();
  expect((await ask('/v1/apps', { key })).json()).toMatchObject({ apps: [{ name: 'shop' }] });
  expect((await ask('/v1/apps/shop', { key })).status).toBe(200);
  for (const [path, method] of [
    ['/v1/apps/blog', 'GET'],
    ['/v1/apps/blog/logs', 'GET'],
    ['/v1/apps/blog/rollback', 'POST'],
    ['/v1/apps/shop', 'DELETE'],
    ['/v1/apps', 'POST'],
    ['/v1/keys', 'GET'],
    ['/v1/nothing', 'GET'],
    ['/v1/apps/shop%2Flogs', 'GET'],
  ] as const) {
    const refused = await ask(path, { method, key, ...(method === 'POST' && { body: {} }) });
    expect([path, refused.status, code(refused)]).toEqual([path, 403, 'FN_FORBIDDEN']);
  }
  await ask('/v1/keys/ann', { method: 'DELETE' });
  for (const path of ['/v1/health', '/v1/apps', '/v1/apps/shop']) {
    expect(code(await ask(path, { key }))).toBe('FN_FORBIDDEN');
  }
  expect(code(await ask('/v1/apps', { key: '' }))).toBe('FN_FORBIDDEN');
});

test('open makes an app for a key that may, and that key has it then', async () => {
  const { id: key } = (await add('ann', 1, { create: true })).json() as KeyBody;
  const open = (app: string, service: string): Promise<HttpResponse> =>
    ask(`/v1/apps/${app}/open`, { method: 'POST', body: { service }, key });
  expect(code(await open('shop', 'upload-pack'))).toBe('FN_FORBIDDEN');
  const repository = join(home, 'apps/shop/repo.git');
  expect((await open('shop', 'receive-pack')).json() as OpenedBody).toEqual({ repository, created: true });
  expect((await open('shop', 'receive-pack')).json() as OpenedBody).toEqual({ repository, created: false });
  expect((await open('shop', 'upload-pack')).json() as OpenedBody).toEqual({ repository, created: false });
  expect(code(await open('No', 'receive-pack'))).toBe('FN_BAD_APP_NAME');
  expect(code(await open('shop', 'shell'))).toBe('FN_BAD_REQUEST');
});
