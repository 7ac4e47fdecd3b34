import { delimiter } from 'node:path';
import { formatProblems } from '../../builder/format-problems.ts';
import { hostLimits } from '../../runtime/contract/limits.ts';
import type { AppHost } from '../../runtime/supervisor/app-host.ts';
import { createAppHost } from '../../runtime/supervisor/create-app-host.ts';
import { localAppName } from '../app-name.ts';
import { formatLogRecord } from '../log-line.ts';
import { describeError, renderError } from '../print-error.ts';
import { requireFolder } from '../require-folder.ts';
import { createDevDatabase } from './database/dev-database.ts';
import { usualFolders } from './database/programs.ts';
import { listen } from './listener.ts';
import { createReloader } from './reloader.ts';
import { createReport } from './report.ts';
import { createWaitingRoom } from './waiting-room.ts';
import { watchSources } from './watch.ts';
import { openWorkspace } from './workspace.ts';

export interface DevOptions {
  /** Absolute path of the app's root. */
  dir: string;
  /** 0 for any free port. */
  port: number;
  host: string;
  color: boolean;
  /** PATH, to find a database server. */
  path: string;
  /** Ends the session. */
  signal: AbortSignal;
  out: (line: string) => void;
  err: (line: string) => void;
}

/** Serves the app in `dir` and reloads it on every save until `signal`. Resolves to the exit code. */
export async function runDev(options: DevOptions): Promise<number> {
  const { dir, color, signal, out, err } = options;
  requireFolder(dir);
  const app = localAppName(dir);
  await using stack = new AsyncDisposableStack();

  const room = createWaitingRoom();
  const listener = await listen((socket) => room.handle(socket), options);
  stack.defer(() => room.close());

  const workspace = await openWorkspace(dir);
  stack.defer(() => workspace.close());

  const appHost = createAppHost({ app, dev: true, onLog: (record) => out(formatLogRecord(record, { color })) });
  const folders = [...options.path.split(delimiter).filter((folder) => folder !== ''), ...usualFolders];
  const database = createDevDatabase({ dir, app, folders, signal, out, err });
  stack.defer(() => database.close());
  stack.defer(() => stopSoon(appHost));
  // Given up in the reverse order: first nothing comes in any more, then what runs ends.
  stack.defer(() => listener.close());

  const report = createReport({ app, url: listener.url, color, out, err });
  const reloader = createReloader({
    dir,
    workspace,
    host: appHost,
    database,
    onStart: () => room.hold(),
    onDone: (reload) => {
      report.reload(reload);
      if (reload.kind === 'failed' && !reload.serving) room.fail(formatProblems(reload.problems, { color: false }));
      if (reload.kind === 'live') room.open((socket) => appHost.handle(socket));
    },
    onError: (error) => {
      const told = describeError(error);
      room.fail(told.message);
      err(renderError(told, { json: false }));
    },
  });
  stack.defer(() => reloader.close());

  const watcher = await watchSources(dir, () => void reloader.request());
  stack.defer(() => watcher.close());
  void reloader.request();

  await aborted(signal);
  return 0;
}

/** A request that is still answered (an event stream, say) must not keep Ctrl-C waiting for the drain. */
async function stopSoon(appHost: AppHost): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => resolve('late'), hostLimits.devStopMs);
  const outcome = await Promise.race([appHost.stop(), late]);
  clearTimeout(timer);
  const { pid } = appHost.status();
  if (outcome === 'late' && pid !== null) process.kill(pid, 'SIGKILL');
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
