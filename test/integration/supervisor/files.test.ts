import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startHost } from '../../support/host.ts';
import { fetchFrom } from '../../support/http.ts';
import { writeRelease } from '../../support/release.ts';

const probing = (dir: string): string => `
  import { readFileSync, writeFileSync, rmSync } from 'node:fs';
  import { lookup } from 'node:dns/promises';
  const result = (work) => { try { work(); return 'ok'; } catch (error) { return error.code; } };
  export default async () => Response.json({
    own: result(() => readFileSync(new URL('../manifest.json', import.meta.url))),
    secret: result(() => readFileSync(${JSON.stringify(join(dir, 'secret'))})),
    system: result(() => readFileSync('/etc/hostname')),
    temporary: result(() => { writeFileSync('/tmp/fnrun-files-test-' + process.pid, ''); rmSync('/tmp/fnrun-files-test-' + process.pid); }),
    change: result(() => writeFileSync(new URL('../manifest.json', import.meta.url), '')),
    missing: await import('no-such-' + 'package').catch((error) => error.code),
    name: (await lookup('localhost')).family > 0,
    zone: new Date(0).toLocaleTimeString('de', { timeZone: 'Asia/Tokyo' }),
  });`;

test('app reads its releases and what every program reads, writes to /tmp, and nothing else', async () => {
  // Not in /tmp, which is every app's.
  const dir = await mkdtemp('/var/tmp/fnrun-');
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, 'secret'), 'of another app');
  const { host, target } = await startHost({ readable: [join(dir, 'releases')] });
  const serve = async (id: string, fsRead: string[]): Promise<unknown> => {
    const release = await writeRelease(join(dir, 'releases'), { '/': probing(dir) }, { id, permissions: { fsRead } });
    const { functions } = await host.load(release, { check: true });
    expect(functions).toMatchObject([{ error: null }]);
    await host.activate(release);
    return (await fetchFrom(target, { path: '/' })).json();
  };
  // A folder that is not there when the process starts is not readable later.
  await writeRelease(join(dir, 'releases'), { '/': probing(dir) }, { id: 'first' });
  const usual = {
    own: 'ok',
    secret: 'ERR_ACCESS_DENIED',
    system: 'ok',
    temporary: 'ok',
    change: 'ERR_ACCESS_DENIED',
    missing: 'ERR_MODULE_NOT_FOUND',
    name: true,
    zone: '09:00:00',
  };
  expect(await serve('r1', [])).toEqual(usual);
  expect(await serve('r2', [join(dir, 'secret')])).toEqual({ ...usual, secret: 'ok' });
});
