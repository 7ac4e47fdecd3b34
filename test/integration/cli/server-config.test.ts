import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readServerConfig } from '../../../cli/server-config.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';

async function read(text: string | null): Promise<unknown> {
  await using dir = await makeTempDir();
  if (text !== null) await writeTree(dir.path, { 'config.json': text });
  return readServerConfig(join(dir.path, 'config.json'));
}

test('server without a configuration has an empty one', async () => {
  expect(await read(null)).toEqual({});
});

test('configuration with every key is read', async () => {
  const config = {
    limits: { memoryMb: 256 },
    ceilings: { memoryMb: 512, cpus: 1.5 },
    permissions: { addons: true, fsRead: ['/srv'] },
    cgroup: false,
    domain: 'apps.example.no',
    builds: { jail: false, idleMs: 0, parallel: 2, memoryMb: 512, processes: 32 },
  };
  expect(await read(JSON.stringify(config))).toEqual(config);
});

test.each([
  ['{', /Cannot read .*config\.json/],
  ['[]', /config\.json must be an object/],
  ['{"limits":{"memoryMb":"1"}}', /limits\.memoryMb must be a whole number/],
  ['{"cgroups":false}', /"cgroups" is no key of config\.json/],
  ['{"builds":{"jail":"no"}}', /builds\.jail must be true or false/],
  ['{"builds":{"parallel":0}}', /builds\.parallel must be a whole number/],
  ['{"domain":"a b"}', /domain must be a host name/],
  ['{"cgroup":1}', /cgroup must be true or false/],
])('configuration %j is refused', async (text, message) => {
  await expect(read(text)).rejects.toThrow(message);
});
