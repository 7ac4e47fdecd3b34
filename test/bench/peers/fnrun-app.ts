/** One app behind an app host, built by the builder; connections are passed as the daemon passes them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../../../builder/build.ts';
import { createAppHost } from '../../../runtime/supervisor/create-app-host.ts';

const [source, profileDir] = process.argv.slice(2);
const dir = await mkdtemp(join(tmpdir(), 'fnrun-bench-'));
const built = await build({
  sourceDir: source!,
  releasesDir: join(dir, 'releases'),
  cacheDir: join(dir, 'cache'),
});
if (!built.ok) throw new Error(JSON.stringify(built.problems));
const profiling = profileDir === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profileDir];
const host = createAppHost({
  app: 'bench',
  onLog: (record) => console.error(record.message),
  execArgv: profiling,
});
const release = { release: built.release, releaseDir: built.dir, env: {} };
await host.load(release, { check: true });
await host.activate(release);
const server = createServer({ pauseOnConnect: true }, (socket) => host.handle(socket));
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`));

async function end(): Promise<void> {
  server.close();
  await host.stop();
  await rm(dir, { recursive: true, force: true });
  process.exit(0);
}
process.stdin.on('end', () => void end()).resume();
