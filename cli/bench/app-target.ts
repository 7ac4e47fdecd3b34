import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../../builder/build.ts';
import { formatProblems } from '../../builder/format-problems.ts';
import { listenForApp } from '../../deploy/app-listener.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { benchLimits } from '../../runtime/contract/limits.ts';
import type { Manifest, ManifestFunction } from '../../runtime/contract/manifest.ts';
import { createAppHost } from '../../runtime/supervisor/create-app-host.ts';
import { readCpuMs, readThreadsCpuMs } from '../../runtime/supervisor/process-figures.ts';
import { localAppName } from '../app-name.ts';
import { checkRelease } from '../check-release.ts';
import { makeLocalFolder } from '../local-folder.ts';
import { formatLogRecord } from '../log-line.ts';
import { readEnv } from '../read-env.ts';
import { requireFolder } from '../require-folder.ts';
import { matchFunction } from './match-function.ts';
import { requestBytes, type AppCpu, type BenchTarget, type RequestOptions } from './target.ts';

export interface AppTargetOptions extends Omit<RequestOptions, 'host' | 'path'> {
  /** Absolute path of the app's root. */
  dir: string;
  /** Null: the first function with a route that needs no parameters. */
  path: string | null;
  signal: AbortSignal;
  err: (line: string) => void;
  color: boolean;
}

/** Builds the app in `dir` and runs it in an app host behind a unix socket, as a server does. Throws FN_NO_FUNCTIONS, FN_USAGE and what builds throw. */
export async function appTarget(options: AppTargetOptions): Promise<BenchTarget> {
  const { dir, signal, err, color } = options;
  requireFolder(dir);
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'fnrun-bench-'));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const cacheDir = join(await makeLocalFolder(dir), 'cache');
  const built = await build({ sourceDir: dir, releasesDir: join(folder, 'releases'), cacheDir, signal });
  if (!built.ok) throw notBuilt(formatProblems(built.problems, { color }));
  const app = localAppName(dir);
  let shown = 0;
  const host = createAppHost({
    app,
    onLog: (record) => {
      // Under load one error comes as often as there are requests.
      if ((record.level === 'error' || record.level === 'warn') && shown++ < benchLimits.logLines)
        err(formatLogRecord(record, { color }));
    },
  });
  stack.defer(() => host.stop());
  const checked = await checkRelease(host, built, { sourceDir: dir, env: await readEnv(dir) });
  if (!checked.ok) throw notBuilt(formatProblems(checked.problems, { color }));
  await host.activate(checked.ref);
  const socketPath = join(folder, 'app.sock');
  const listener = await listenForApp(socketPath, host);
  stack.defer(() => listener.close());
  const path = options.path ?? defaultPath(checked.manifest);
  const named = matchFunction(checked.manifest, path);
  const owned = stack.move();
  return {
    name: `${options.method} ${path} of ${dir}`,
    address: { socketPath },
    method: options.method,
    request: requestBytes({ ...options, path, host: `${app}.localhost` }),
    cpu: () => cpuOf(host.status().pid),
    figures: async () => (await host.stats())?.functions.find(({ name }) => name === named?.name) ?? null,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function notBuilt(problems: string): FnrunError {
  return new FnrunError('FN_USAGE', `The app cannot be built:\n${problems}`, { hint: 'see: fnrun build' });
}

/** The shortest route without parameters of a function that answers HTTP. */
function defaultPath({ functions }: Manifest): string {
  const answers = ({ inspection }: ManifestFunction): boolean => inspection?.shape !== 'websocket';
  const routes = functions.filter(answers).map(({ route }) => route);
  const plain = routes.filter((route) => !/[:*]/.test(route)).sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  if (plain[0] !== undefined) return plain[0];
  throw new FnrunError('FN_USAGE', `No function has a route without parameters: ${routes.join(', ')}`, {
    hint: 'name what to ask for: --path /users/1',
  });
}

function cpuOf(pid: number | null): AppCpu | null {
  const totalMs = pid === null ? null : readCpuMs(pid);
  if (pid === null || totalMs === null) return null;
  return { totalMs, threadsMs: readThreadsCpuMs(pid), mainThread: pid };
}
