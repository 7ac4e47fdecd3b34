import { performance } from 'node:perf_hooks';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent } from 'node:http';
import { build } from '../../../builder/build.ts';
import { createAppHost } from '../../../runtime/supervisor/create-app-host.ts';
import { fetchFrom } from '../../support/http.ts';
import { makeTempDir } from '../../support/temp-dir.ts';
import { percentile, round } from '../measure.ts';
import { own, type BenchCase, type Target } from '../report.ts';

const functions = 100;
/** Between two first calls, so that the reserve is filled again as it would be in life. */
const pauseMs = 150;

/** First call of functions that have no worker, each called once, over one kept-alive connection. */
export const coldFunction: BenchCase = {
  name: 'cold-function',
  summary: 'first call of a function that has no worker',
  needs: [],
  async run({ report }) {
    await using folder = await makeTempDir('fnrun-bench-');
    const source = join(folder.path, 'app');
    for (let i = 0; i < functions; i++) {
      await mkdir(join(source, `functions/f${i}`), { recursive: true });
      await writeFile(
        join(source, `functions/f${i}/index.ts`),
        `export default () => Response.json({ function: ${i} });\n`,
      );
    }
    const built = await build({
      sourceDir: source,
      releasesDir: join(folder.path, 'releases'),
      cacheDir: join(folder.path, 'cache'),
    });
    if (!built.ok) throw new Error(JSON.stringify(built.problems));
    const host = createAppHost({ app: 'bench', onLog: () => {} });
    const release = { release: built.release, releaseDir: built.dir, env: {} };
    await host.load(release, { check: true });
    await host.activate(release);
    const server = createServer({ pauseOnConnect: true }, (socket) => host.handle(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const target = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const cold: number[] = [];
    const warm: number[] = [];
    for (let i = 0; i < functions; i++) {
      for (const times of [cold, warm]) {
        const before = performance.now();
        const { status } = await fetchFrom(target, { path: `/f${i}`, agent });
        times.push(performance.now() - before);
        if (status !== 200) throw new Error(`/f${i} answered ${status}`);
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    agent.destroy();
    server.close();
    await host.stop();
    const figure = (name: string, value: number, target?: Target): void =>
      report({
        case: 'cold-function',
        side: own,
        name,
        value: round(value),
        unit: 'ms',
        samples: functions,
        ...(target !== undefined && { target }),
      });
    figure('first call p50', percentile(cold, 50), { most: 5 });
    figure('first call p99', percentile(cold, 99), { most: 15 });
    figure('second call p50', percentile(warm, 50));
  },
};
