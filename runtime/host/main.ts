/** The app host process: one app, its HTTP server and its worker threads. Started by the supervisor. */
import type { HostArguments } from '../contract/ipc.ts';
import { entryPoint } from '../entry-points.ts';
import { ThreadPool } from '../pool/thread-pool.ts';
import type { RunningHost } from './run-host.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as HostArguments;
process.title = `fnrun: ${options.app}`;
let host: RunningHost | null = null;
const pool = new ThreadPool({
  workerFile: entryPoint('runtime/worker/main.cjs'),
  threads: options.threads,
  appMemoryMb: options.memoryMb,
  onStuck: (reason) => host?.onStuck(reason),
});
// The first thread starts on one CPU while the rest of the host is read on another.
void import('./run-host.ts').then(({ runHost }) => {
  host = runHost(options, pool);
});
