import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { FunctionStats } from '../../runtime/contract/ipc.ts';
import type { LogRecord } from '../../runtime/contract/log.ts';
import { entryPoint } from '../../runtime/entry-points.ts';
import { HostApp } from '../../runtime/host/app.ts';
import { createHostServer } from '../../runtime/host/server.ts';
import { ThreadPool } from '../../runtime/pool/thread-pool.ts';
import type { ThreadPoolOptions } from '../../runtime/pool/thread-pool.ts';
import { fetchFrom } from './http.ts';
import type { HttpResponse } from './http.ts';
import { writeRelease } from './release.ts';
import { makeTempDir } from './temp-dir.ts';

/** An app with real threads and a real socket, in the process of the test: what decides about threads can be looked at. */
export interface TestApp {
  app: HostApp;
  pool: ThreadPool;
  dir: string;
  /** Where it listens, on 127.0.0.1. */
  port: number;
  logs: LogRecord[];
  /** Writes a release, checks it and makes it live. */
  deploy(modules: Record<string, string>): Promise<void>;
  get(path: string, options?: { signal?: AbortSignal; deadlineMs?: number }): Promise<HttpResponse>;
  stats(name: string): FunctionStats;
  /** Ends everything; done by itself when the test ends. */
  close(): Promise<void>;
}

/** Starts an app without a release. */
export async function startApp(options: Partial<ThreadPoolOptions> = {}): Promise<TestApp> {
  const folder = await makeTempDir();
  const logs: LogRecord[] = [];
  const pool = new ThreadPool({
    workerFile: entryPoint('runtime/worker/main.cjs'),
    onStuck(reason) {
      throw new Error(`a thread does not end: ${reason}`);
    },
    ...options,
  });
  const sink = { write: (record: LogRecord) => void logs.push(record), setRate() {}, dropped: 0, countDropped() {} };
  const app = new HostApp({ app: 'test', pool, sink, now: () => new Date() });
  const http = createHostServer({ app, dev: false });
  const server = createServer({ pauseOnConnect: true }, (socket) => http.accept(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    server.close();
    await http.drain();
    app.close();
    await pool.close();
    await folder.remove();
  };
  onTestFinished(() => (closing ??= close()));
  let serial = 0;
  return {
    app,
    pool,
    dir: folder.path,
    port: target.port,
    logs,
    async deploy(modules) {
      const source = { app: 'test', ...(await writeRelease(folder.path, modules, { id: `r${++serial}` })) };
      const { functions } = await app.load(source, { check: true, fresh: false });
      const failed = functions.find((entry) => entry.error !== null);
      if (failed !== undefined) throw new Error(`${failed.name}: ${failed.error!.message}`);
      await app.activate(source.release);
    },
    get: (path, rest) => fetchFrom(target, { path, deadlineMs: 60_000, ...rest }),
    stats: (name) => app.stats().functions.find((one) => one.name === name)!,
    close: () => (closing ??= close()),
  };
}
