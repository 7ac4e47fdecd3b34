import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { makeSecretKey, readSecretKey } from '../../../deploy/env/secret-key.ts';
import { createEnvVault, type EnvVault } from '../../../deploy/env/vault.ts';
import { openSqliteStore } from '../../../deploy/store/sqlite.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

let dir: string;
let file: string;

beforeEach(async () => {
  const temp = await makeTempDir('fn-');
  dir = temp.path;
  file = join(dir, 'secret.key');
  return () => temp.remove();
});

test('a key is made once, with 32 bytes for its owner only', async () => {
  expect(await readSecretKey(file)).toBeNull();
  const made = await Promise.all([makeSecretKey(file), readSecretKey(file)]).then(([key]) => key);
  expect(made).toHaveLength(32);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readSecretKey(file)).toEqual(made);
  expect(await makeSecretKey(file)).toEqual(made);
  expect(await readFile(file)).toEqual(made);
  expect(await readdir(dir)).toEqual(['secret.key']);
});

test('a key that a killed server left half made is none', async () => {
  await writeFile(`${file}.new`, 'half');
  expect(await makeSecretKey(file)).toHaveLength(32);
  expect(await readdir(dir)).toEqual(['secret.key']);
});

test.each([
  ['others may read it', async () => chmod(file, 0o640), /mode 0640/],
  ['it is too short', async () => writeFile(file, 'short'), /has 5 bytes, a key has 32/],
  ['it is a link', async () => rm(file).then(() => symlink('/etc/hostname', file)), /Cannot read/],
  ['it is a folder', async () => rm(file).then(() => mkdir(file, { mode: 0o700 })), /is no key/],
])('a key is refused when %s', async (_, spoil, message) => {
  await makeSecretKey(file);
  await spoil();
  await expect(readSecretKey(file)).rejects.toMatchObject({
    code: 'FN_SECRET_KEY',
    message: expect.stringMatching(message) as string,
    hint: expect.any(String) as string,
  });
});

async function withVault(work: (vault: EnvVault) => Promise<void>): Promise<void> {
  const store = openSqliteStore(join(dir, 'state.db'));
  try {
    if ((await store.getApp('shop')) === null) await store.createApp('shop', { createdAtMs: 1 });
    await work(createEnvVault({ store, keyFile: file, now: () => 1 }));
  } finally {
    await store.close();
  }
}

test('a vault makes no key before there is a value, and nothing readable lies in its home', async () => {
  await withVault(async (vault) => {
    expect(await vault.read({ app: 'shop', id: null })).toEqual({});
    expect(await readSecretKey(file)).toBeNull();
    const id = await vault.change({ app: 'shop', id: null }, { set: { TOKEN: 'a secret value' }, unset: [] });
    expect(await vault.describe({ app: 'shop', id })).toEqual([{ name: 'TOKEN', bytes: 14 }]);
    expect(await vault.read({ app: 'shop', id })).toEqual({ TOKEN: 'a secret value' });
    expect(await vault.change({ app: 'shop', id }, { set: { TOKEN: 'a secret value' }, unset: [] })).toBe(id);
    expect(await vault.change({ app: 'shop', id }, { set: {}, unset: ['TOKEN'] })).toBeNull();
    await expect(vault.read({ app: 'other', id })).rejects.toThrow('not on record');
    for (const name of await readdir(dir))
      expect(await readFile(join(dir, name), 'latin1')).not.toContain('secret value');
  });
});

test.each([
  ['is gone', () => rm(file), /secret\.key is gone/],
  ['is another', () => rm(file).then(() => makeSecretKey(file)), /not the key/],
])('a vault whose key %s tells what is lost, and takes all values anew', async (_, lose, message) => {
  await withVault(async (vault) => {
    const id = await vault.change({ app: 'shop', id: null }, { set: { A: 'value a', B: 'value b' }, unset: [] });
    await lose();
    const env = { app: 'shop', id };
    await expect(vault.read(env)).rejects.toMatchObject({
      code: 'FN_SECRET_KEY',
      message: expect.stringMatching(message) as string,
      hint: expect.stringContaining('backup') as string,
    });
    await expect(vault.read(env)).rejects.toThrow('The values of A, B of shop');
    expect(await vault.describe(env)).toHaveLength(2);
    await expect(vault.change(env, { set: { A: 'new' }, unset: [] })).rejects.toThrow('The values of B of shop');
    const next = await vault.change(env, { set: { A: 'new' }, unset: ['B'] });
    expect(await vault.read({ app: 'shop', id: next })).toEqual({ A: 'new' });
  });
});
