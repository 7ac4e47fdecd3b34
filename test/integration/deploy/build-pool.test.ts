import { existsSync } from 'node:fs';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BuildResult } from '../../../builder/build.ts';
import { makePool } from '../../support/build-pool.ts';
import type { PoolFixture } from '../../support/build-pool.ts';
import { eventually } from '../../support/deadline.ts';
import { startSilentRegistry } from '../../support/silent-registry.ts';

const simple = { 'functions/a.ts': 'export default () => new Response("a");\n' };

/** Starts a build that waits in npm; resolves when it does. */
async function startWaiting(
  fixture: PoolFixture,
  app: string,
  signal?: AbortSignal,
): Promise<{ done: Promise<BuildResult> }> {
  const installing = Promise.withResolvers<void>();
  const done = fixture.run(app, {
    onProgress: (line) => line.startsWith('installing') && installing.resolve(),
    ...(signal && { signal }),
  });
  done.catch(() => {});
  await installing.promise;
  return { done };
}

const gone = (pid: number | undefined): Promise<boolean> =>
  eventually(() => !existsSync(`/proc/${pid}`), { deadlineMs: 10_000 });

test('build process is kept for the next build of its app, and ends when it was idle', async () => {
  await using fixture = await makePool({ policy: { idleMs: 1_000 } });
  await fixture.write('one', simple);
  const first = await fixture.build('one');
  const [process] = fixture.pool.processes;
  expect(process).toMatchObject({ pid: expect.any(Number), busy: false });
  expect(first.manifest.functions.map(({ name }) => name)).toEqual(['a']);
  await fixture.write('one', { 'functions/a.ts': 'export default () => new Response("b");\n' });
  expect((await fixture.build('one')).release).not.toBe(first.release);
  expect(fixture.pool.processes).toEqual([process]);
  await gone(process!.pid);
  expect(fixture.pool.processes).toEqual([]);
  expect((await fixture.build('one')).reused).toBe(true);
});

test('build process that is killed fails its build with the reason, and the next build has another', async () => {
  await using registry = await startSilentRegistry();
  await using fixture = await makePool({ policy: { parallel: 2 } });
  await fixture.write('one', { ...registry.files, ...simple });
  await fixture.write('two', simple);
  await fixture.build('two');
  const { done } = await startWaiting(fixture, 'one');
  const other = fixture.pool.processes.find(({ busy }) => !busy);
  const { pid } = fixture.pool.processes.find(({ busy }) => busy)!;
  process.kill(pid!, 'SIGKILL');
  expect(await done).toMatchObject({
    ok: false,
    problems: [
      {
        code: 'FN_BUILD_DIED',
        message: expect.stringContaining('was killed'),
        hint: expect.stringContaining('push again'),
      },
    ],
  });
  // The other app's process is as it was.
  expect(fixture.pool.processes).toEqual([other]);
  await fixture.write('one', { 'package.json': '{}' });
  expect((await fixture.build('one')).manifest.functions).toHaveLength(1);
});

test('builds beyond the number that may run wait for one to end, and idle processes give way', async () => {
  await using fixture = await makePool({ policy: { parallel: 1 } });
  await fixture.write('one', simple);
  await fixture.write('two', simple);
  await fixture.write('three', simple);
  const said: string[] = [];
  const built = await Promise.all(
    ['one', 'two', 'three'].map((app) => fixture.build(app, { onProgress: (line) => said.push(`${app}: ${line}`) })),
  );
  expect(new Set(built.map(({ release }) => release)).size).toBe(1);
  expect(said).toEqual(['two: waiting for another build to end', 'three: waiting for another build to end']);
  expect(fixture.pool.processes).toHaveLength(1);
});

test('aborted build rejects at once, ends npm and leaves its process for the next', async () => {
  await using registry = await startSilentRegistry();
  await using fixture = await makePool({ policy: { parallel: 1 } });
  await fixture.write('one', { ...registry.files, ...simple });
  const abort = new AbortController();
  const reason = new Error('superseded');
  const { done } = await startWaiting(fixture, 'one', abort.signal);
  const [before] = fixture.pool.processes;
  abort.abort(reason);
  await expect(done).rejects.toBe(reason);
  await fixture.write('one', { 'package.json': '{}' });
  expect((await fixture.build('one')).manifest.functions).toHaveLength(1);
  expect(fixture.pool.processes).toEqual([{ ...before, busy: false }]);
  const deps = join(fixture.placesOf('one').cacheDir, 'deps');
  await eventually(async () => (await readdir(deps)).length === 0);
});

test('build that waits for its turn can be aborted', async () => {
  await using registry = await startSilentRegistry();
  await using fixture = await makePool({ policy: { parallel: 1 } });
  await fixture.write('one', { ...registry.files, ...simple });
  await fixture.write('two', simple);
  const first = new AbortController();
  const { done } = await startWaiting(fixture, 'one', first.signal);
  const second = new AbortController();
  const reason = new Error('superseded');
  const waiting = fixture.run('two', { signal: second.signal, onProgress: () => second.abort(reason) });
  await expect(waiting).rejects.toBe(reason);
  first.abort(reason);
  await expect(done).rejects.toBe(reason);
  expect((await fixture.build('two')).manifest.functions).toHaveLength(1);
});

test('build that outgrows a limit fails with that limit', async () => {
  await using registry = await startSilentRegistry();
  const failureOf = async (options: Parameters<typeof makePool>[0]): Promise<unknown> => {
    await using fixture = await makePool(options);
    await fixture.write('one', { ...registry.files, ...simple });
    return await fixture.run('one');
  };
  // Node alone has more than 20 MB; and is more than one process with esbuild and bwrap.
  expect(await failureOf({ policy: { memoryMb: 20 } })).toMatchObject({
    ok: false,
    problems: [{ code: 'FN_BUILD_LIMIT', message: expect.stringContaining('more than 20 MB of memory') }],
  });
  expect(await failureOf({ policy: { processes: 1 } })).toMatchObject({
    ok: false,
    problems: [{ code: 'FN_BUILD_LIMIT', message: expect.stringContaining('more than 1 processes') }],
  });
  expect(await failureOf({ wallMs: 2_000 })).toMatchObject({
    ok: false,
    problems: [{ code: 'FN_BUILD_TIMEOUT', message: expect.stringContaining('longer than 2 s') }],
  });
});

test('app that is removed and made anew has another process', async () => {
  await using fixture = await makePool();
  await fixture.write('one', simple);
  await fixture.build('one');
  const [before] = fixture.pool.processes;
  const root = join(fixture.placesOf('one').releasesDir, '..');
  await rename(root, `${root}.old`);
  await fixture.write('one', simple);
  const built = await fixture.build('one');
  expect(built.reused).toBe(false);
  expect(existsSync(join(built.dir, 'manifest.json'))).toBe(true);
  expect(fixture.pool.processes.some(({ pid, busy }) => !busy && pid !== before!.pid)).toBe(true);
});

test('pool that is stopped ends a build that runs, and takes no other', async () => {
  await using registry = await startSilentRegistry();
  await using fixture = await makePool();
  await fixture.write('one', { ...registry.files, ...simple });
  const { done } = await startWaiting(fixture, 'one');
  const [{ pid } = { pid: 0 }] = fixture.pool.processes;
  await fixture.pool.stop();
  expect(await done).toMatchObject({ ok: false, problems: [{ code: 'FN_BUILD_DIED' }] });
  await gone(pid);
  await expect(fixture.run('one')).rejects.toMatchObject({ code: 'FN_NOT_RUNNING' });
});
