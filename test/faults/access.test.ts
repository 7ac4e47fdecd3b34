import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startFaultServer, type FaultServer } from './support/fault-server.ts';
import { expectUnharmed, otherApp } from './support/record.ts';

vi.setConfig({ testTimeout: 60_000 });

let server: FaultServer;

beforeAll(async () => {
  // Apps may use /tmp: a home that lay there would be open to all of them.
  vi.stubEnv('TMPDIR', '/var/tmp');
  server = await startFaultServer({ narrow: {} });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
});

test("15: a function reaches no file of other apps or of the server, by Node's permissions; without a uid of its own that is no wall", async () => {
  const { home } = server.serve;
  const [own, other] = ['narrow', 'calm'].map((app) => `${home}/apps/${app}`);
  const reach = async (how: 'read' | 'write', path: string): Promise<string> =>
    (await server.ask('narrow', { path: `/reach?${how}=${encodeURIComponent(path)}` })).text;
  const report = await server.during('narrow', { row: 15, fault: 'reading what is not its own' }, async () => {
    const { release } = await server.ps('narrow');
    const { release: foreign } = await server.ps('calm');
    const status = await readFile(`/proc/${await server.pidOf('narrow')}/status`, 'utf8');
    const daemon = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
    return {
      ownManifest: await reach('read', `${own}/releases/${release}/manifest.json`),
      ownManifestWritten: await reach('write', `${own}/releases/${release}/manifest.json`),
      foreignManifest: await reach('read', `${other}/releases/${foreign}/manifest.json`),
      foreignRepository: await reach('read', `${other}/repo.git/HEAD`),
      state: await reach('read', `${home}/state.db`),
      secretKey: await reach('read', `${home}/secret.key`),
      stateWritten: await reach('write', `${home}/state.db`),
      foreignLog: await reach('read', `${home}/logs/calm.ndjson`),
      serverEnvironment: await reach('read', `/proc/${daemon}/environ`),
      passwords: await reach('read', '/etc/shadow'),
    };
  });
  const { ownManifest, ...denied } = report.result;
  expect(ownManifest).toBe('reached');
  for (const [what, answer] of Object.entries(denied)) expect(answer, what).toBe('ERR_ACCESS_DENIED');
  expectUnharmed(report, 'same app', ...otherApp);
});
