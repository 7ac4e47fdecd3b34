/**
 * The build process: builds what it is told over IPC, until its parent is gone or ends it. The daemon
 * keeps it warm, and starts it in a jail: see deploy/build/.
 */
import { build } from '../build.ts';
import { startEsbuild } from '../bundle/esbuild-process.ts';
import type { NpmResult, RunNpm } from '../dependencies/npm.ts';
import type { FromBuilder, ToBuilder } from './protocol.ts';

type NpmDone = Extract<ToBuilder, { type: 'npm-done' }>;

const builds = new Map<number, AbortController>();
const npmRuns = new Map<number, (done: NpmDone) => void>();
let lastRun = 0;

process.on('message', (message: ToBuilder) => {
  if (message.type === 'build') void run(message);
  else if (message.type === 'abort') builds.get(message.id)?.abort(new Error('The build was aborted'));
  else npmRuns.get(message.run)?.(message);
});
// The daemon is gone, or has no more use for it. esbuild's process ends with its standard input.
process.on('disconnect', () => process.exit(0));

say({ type: 'ready' });
// The first build finds it running: it starts while the daemon writes the sources out.
startEsbuild();

async function run({ id, options }: Extract<ToBuilder, { type: 'build' }>): Promise<void> {
  const abort = new AbortController();
  builds.set(id, abort);
  try {
    const onProgress = (line: string): void => say({ type: 'progress', id, line });
    const result = await build({ ...options, signal: abort.signal, onProgress, runNpm: runNpm(id) });
    say({ type: 'result', id, result });
  } catch (error) {
    const { message, stack = null } = error instanceof Error ? error : new Error(String(error));
    say({ type: 'failed', id, message, stack });
  } finally {
    builds.delete(id);
  }
}

/** npm as the daemon runs it: this process has no network and no npm. */
function runNpm(id: number): RunNpm {
  return async (request, { signal }): Promise<NpmResult | null> => {
    const run = ++lastRun;
    const { promise, resolve } = Promise.withResolvers<NpmDone>();
    npmRuns.set(run, resolve);
    const abort = (): void => say({ type: 'npm-abort', run });
    signal.addEventListener('abort', abort, { once: true });
    try {
      say({ type: 'npm', id, run, request });
      const { result, error } = await promise;
      signal.throwIfAborted();
      if (error !== null) throw new Error(error);
      return result;
    } finally {
      npmRuns.delete(run);
      signal.removeEventListener('abort', abort);
    }
  };
}

function say(message: FromBuilder): void {
  process.send?.(message);
}
