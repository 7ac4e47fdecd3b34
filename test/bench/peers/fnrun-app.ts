/**
 * One app behind an app host, built by the builder, which accepts from its socket as under the daemon.
 * `fnrun-app.ts SOURCE [--profile DIR] [--socket PATH] [--database URL] [--idle MS]`; the line `asleep` is answered when the host
 * has stopped for being idle, as it does after that time.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { build } from '../../../builder/build.ts';
import type { ListeningHandle } from '../../../runtime/listening-handle.ts';
import { createAppHost } from '../../../runtime/supervisor/create-app-host.ts';
import { SharedSocket } from '../../../runtime/supervisor/shared-socket.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    profile: { type: 'string' },
    socket: { type: 'string' },
    database: { type: 'string' },
    idle: { type: 'string' },
  },
});
const dir = await mkdtemp(join(tmpdir(), 'fnrun-bench-'));
const built = await build({
  sourceDir: positionals[0]!,
  releasesDir: join(dir, 'releases'),
  cacheDir: join(dir, 'cache'),
});
if (!built.ok) throw new Error(JSON.stringify(built.problems));
const host = createAppHost({
  app: 'bench',
  onLog: (record) => console.error(record.message),
  ...(values.idle !== undefined && { policy: { limits: { idleStopMs: Number(values.idle) } } }),
  execArgv: values.profile === undefined ? [] : profilingFlags(values.profile),
});
const env: Record<string, string> = values.database === undefined ? {} : { DATABASE_URL: values.database };
const release = { release: built.release, releaseDir: built.dir, env };
await host.load(release, { check: true });
await host.activate(release);
const { socket } = values;
const options = { onSocket: (each: Socket) => host.handle(each), onBack: () => {} };
if (socket === undefined) {
  const { handle, port } = bindLoopback();
  host.share(SharedSocket.over(handle, options));
  console.log(`http://127.0.0.1:${port}/`);
} else {
  host.share(await SharedSocket.open(socket, options));
  // The workers of nginx run as somebody else.
  await chmod(socket, 0o666);
  console.log(socket);
}

/** As cluster binds what its workers share. */
function bindLoopback(): { handle: ListeningHandle; port: number } {
  const { _createServerHandle: create } = net as unknown as {
    _createServerHandle: (address: string, port: number, addressType: 4) => ListeningHandle | number;
  };
  const handle = create('127.0.0.1', 0, 4);
  if (typeof handle === 'number') throw new Error(`Cannot listen on 127.0.0.1: error ${handle}`);
  const name = { port: 0 };
  (handle as ListeningHandle & { getsockname(into: { port: number }): number }).getsockname(name);
  return { handle, port: name.port };
}

/** The profiler is part of the inspector, which an app host is not permitted otherwise. */
function profilingFlags(profileDir: string): string[] {
  const permitted = ['--allow-inspector', `--allow-fs-write=${profileDir}`, '--disable-warning=PERM0004'];
  return [...permitted, '--cpu-prof', '--cpu-prof-dir', profileDir];
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'asleep') {
    while (host.status().state !== 'stopped') await sleep(5);
    // The process ends meanwhile: nobody calls in that very moment.
    await sleep(500);
  }
  console.log(line);
}
await host.stop();
await rm(dir, { recursive: true, force: true });
process.exit(0);
