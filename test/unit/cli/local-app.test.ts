import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { localAppName } from '../../../cli/app-name.ts';
import { parsePort } from '../../../cli/parse-port.ts';
import { readEnv } from '../../../cli/read-env.ts';
import { envLimits } from '../../../runtime/contract/limits.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';

test.each([
  ['shop', 'shop'],
  ['My Shop!', 'my-shop'],
  ['2nd--try', 'nd-try'],
  ['日本', 'app'],
  ['a'.repeat(60), 'a'.repeat(40)],
])('localAppName makes the folder %s fit the rule for names', async (folder, name) => {
  await using dir = await makeTempDir();
  await mkdir(join(dir.path, folder));
  expect(localAppName(join(dir.path, folder))).toBe(name);
});

test('localAppName takes the name in fnrun.json first', async () => {
  await using dir = await makeTempDir();
  await writeTree(dir.path, { 'fnrun.json': '{ "name": "named" }' });
  expect(localAppName(dir.path)).toBe('named');
});

test('readEnv reads quotes, comments and empty values', async () => {
  await using dir = await makeTempDir();
  await writeTree(dir.path, { '.env': '# a comment\nA=1\nB="two words"\nexport C=\'x\'\nD=\n' });
  expect(await readEnv(dir.path)).toEqual({ A: '1', B: 'two words', C: 'x', D: '' });
});

test('readEnv finds nothing when there is no file', async () => {
  await using dir = await makeTempDir();
  expect(await readEnv(dir.path)).toEqual({});
});

test.each(['A=1\nNODE_OPTIONS=--inspect', 'A-B=secret', `A=${'x'.repeat(envLimits.valueBytes + 1)}`])(
  'readEnv refuses what a server would, without telling a value',
  async (text) => {
    await using dir = await makeTempDir();
    await writeTree(dir.path, { '.env': text });
    const refusal = await readEnv(dir.path).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'FN_BAD_ENV', message: expect.stringMatching(/^\.env: /) as string });
    expect(String(refusal)).not.toMatch(/secret|inspect|xxxx/);
  },
);

test.each(['-1', '65536', '1e3', '', '80x'])('parsePort refuses %j', (text) => {
  expect(() => parsePort(text, '--port')).toThrow(`--port must be a port from 0 to 65535: it is ${text}`);
});

test('parsePort takes any port and 0', () => {
  expect([parsePort('0', '--port'), parsePort('65535', '--port')]).toEqual([0, 65_535]);
});
