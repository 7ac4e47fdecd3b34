import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { LogRecord } from '../../runtime/contract/log.ts';
import type { AppHost, AppHostOptions, ReleaseRef } from '../../runtime/supervisor/app-host.ts';
import { createAppHost } from '../../runtime/supervisor/create-app-host.ts';
import { within } from './deadline.ts';
import type { HttpTarget } from './http.ts';
import { writeRelease } from './release.ts';
import type { ReleaseOptions } from './release.ts';
import { makeTempDir } from './temp-dir.ts';

/** A real app host behind a real socket, for one test. */
export interface TestHost {
  host: AppHost;
  target: HttpTarget & { host: string; port: number };
  dir: string;
  logs: LogRecord[];
  /** Resolves with the first record, past or to come, that `match` accepts. */
  logged(match: (record: LogRecord) => boolean): Promise<LogRecord>;
  /** Writes a release, checks it and makes it live. */
  deploy(modules: Record<string, string>, options?: ReleaseOptions): Promise<ReleaseRef>;
}

/** Starts an app host without a release; it is stopped when the test ends. */
export async function startHost(own: Partial<AppHostOptions> = {}): Promise<TestHost> {
  const folder = await makeTempDir();
  const dir = folder.path;
  const logs: LogRecord[] = [];
  const watchers = new Set<(record: LogRecord) => void>();
  const host = createAppHost({
    app: 'test',
    ...own,
    onLog(record) {
      logs.push(record);
      for (const watch of watchers) watch(record);
    },
  });
  const server = createServer({ pauseOnConnect: true }, (socket) => host.handle(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.close();
    await host.stop();
    await folder.remove();
  });
  let serial = 0;
  return {
    host,
    target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    dir,
    logs,
    logged(match) {
      const past = logs.find(match);
      if (past !== undefined) return Promise.resolve(past);
      const coming = new Promise<LogRecord>((resolve) => {
        const watch = (record: LogRecord): void => {
          if (!match(record)) return;
          watchers.delete(watch);
          resolve(record);
        };
        watchers.add(watch);
      });
      return within(15_000, 'a log line', coming);
    },
    async deploy(modules, options = {}) {
      const release = await writeRelease(dir, modules, { id: `r${++serial}`, ...options });
      const { functions } = await host.load(release, { check: true });
      const failed = functions.find((entry) => entry.error !== null);
      if (failed !== undefined) throw new Error(`${failed.name}: ${failed.error!.message}`);
      await host.activate(release);
      return release;
    },
  };
}
