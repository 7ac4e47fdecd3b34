/**
 * One app behind an app host, built by the builder; connections are passed as the daemon passes them.
 * `fnrun-app.ts SOURCE [--profile DIR] [--socket PATH] [--database URL]`; the line `stop` stops the host until the next connection.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { build } from '../../../builder/build.ts';
import { createAppHost } from '../../../runtime/supervisor/create-app-host.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { profile: { type: 'string' }, socket: { type: 'string' }, database: { type: 'string' } },
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
  execArgv: values.profile === undefined ? [] : profilingFlags(values.profile),
});
const env: Record<string, string> = values.database === undefined ? {} : { DATABASE_URL: values.database };
const release = { release: built.release, releaseDir: built.dir, env };
await host.load(release, { check: true });
await host.activate(release);
const server = createServer({ pauseOnConnect: true }, (socket) => host.handle(socket));
const { socket } = values;
if (socket === undefined) {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
    console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
  );
} else {
  // The workers of nginx run as somebody else.
  server.listen({ path: socket, backlog: 4096 }, () => void chmod(socket, 0o666).then(() => console.log(socket)));
}

/** The profiler is part of the inspector, which an app host is not permitted otherwise. */
function profilingFlags(profileDir: string): string[] {
  const permitted = ['--allow-inspector', `--allow-fs-write=${profileDir}`, '--disable-warning=PERM0004'];
  return [...permitted, '--cpu-prof', '--cpu-prof-dir', profileDir];
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'stop') await host.stop();
  console.log(line);
}
server.close();
await host.stop();
await rm(dir, { recursive: true, force: true });
process.exit(0);
