/** The app host process: one app, its HTTP server and its worker threads. Started by the supervisor. */
import type { Socket } from 'node:net';
import type { FromHost, ToHost } from '../contract/ipc.ts';
import { FnrunError } from '../contract/errors.ts';
import { hostLimits } from '../contract/limits.ts';
import { entryPoint } from '../entry-points.ts';
import { ThreadPool } from '../pool/thread-pool.ts';
import { HostApp } from './app.ts';
import { createLogSink } from './log-sink.ts';
import { createHostServer } from './server.ts';

/** What the supervisor passes as the only argument, as JSON. */
export interface HostArguments {
  app: string;
  dev: boolean;
  /** File descriptor that log records are written to. */
  logFd: number;
}

const { app: name, dev, logFd } = JSON.parse(process.argv[2] ?? '{}') as HostArguments;
process.title = `fnrun: ${name}`;
const sink = createLogSink(logFd);
const pool = new ThreadPool({
  workerFile: entryPoint('runtime/worker/main.cjs'),
  onStuck(reason) {
    app.log({ level: 'error', message: `a thread does not end (${reason}); the host process is replaced` });
    // process.exit() would wait for the thread.
    setImmediate(() => process.kill(process.pid, 'SIGKILL'));
  },
});
const app = new HostApp({ app: name, pool, sink, now: () => new Date() });
const server = createHostServer({ app, dev });

const send = (message: FromHost): void => {
  process.send?.(message);
};

process.on('message', (message: ToHost, handle: unknown) => {
  if (message.type === 'connection') {
    send({ type: 'accepted', id: message.id });
    // The client may have gone while its connection was on the way.
    if (handle !== undefined && handle !== null) server.accept(handle as Socket);
    return;
  }
  const { id } = message;
  answer(message).then(
    (result) => send({ type: 'reply', id, ok: true, result }),
    (error: unknown) => {
      const code = error instanceof FnrunError ? error.code : 'FN_INTERNAL';
      send({ type: 'reply', id, ok: false, code, message: error instanceof Error ? error.message : String(error) });
    },
  );
});

async function answer(message: Exclude<ToHost, { type: 'connection' }>): Promise<unknown> {
  switch (message.type) {
    case 'load': {
      const { release, releaseDir, env, check, fresh } = message;
      return await app.load({ app: name, release, releaseDir, env }, { check, fresh });
    }
    case 'activate':
      return await app.activate(message.release);
    case 'discard':
      app.discard(message.release);
      return null;
    case 'stats':
      return app.stats();
    case 'stop':
      await stop();
      return null;
  }
}

async function stop(): Promise<void> {
  const deadline = setTimeout(() => process.kill(process.pid, 'SIGKILL'), hostLimits.stopMs);
  await server.drain();
  app.close();
  await pool.close();
  clearTimeout(deadline);
  // After the reply has left.
  setImmediate(() => process.exit(0));
}

// Without its daemon a host serves nobody: the daemon held the sockets.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// The terminal's Ctrl-C reaches the whole group; the daemon ends its hosts itself.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
send({ type: 'started' });
