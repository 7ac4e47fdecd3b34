import { setTimeout as sleep } from 'node:timers/promises';
import type { SendHandle } from 'node:child_process';
import type { Socket } from 'node:net';
import type { FromHost, HostArguments, OpenConnections, SchedulingPolicy, ToHost } from '../contract/ipc.ts';
import { FnrunError } from '../contract/errors.ts';
import { hostLimits } from '../contract/limits.ts';
import type { ListeningHandle } from '../listening-handle.ts';
import type { ThreadPool } from '../pool/thread-pool.ts';
import { HostApp } from './app.ts';
import { createLogSink } from './log-sink.ts';
import { Listeners } from './listeners.ts';
import { createPulse } from './pulse.ts';
import { createHostServer } from './server.ts';
import type { HostServer } from './server.ts';

/** An app host that answers its supervisor. */
export interface RunningHost {
  /** A thread was told to end and does not. */
  onStuck(reason: string): void;
}

/** Makes an app host of this process, over the threads of `pool`. */
export function runHost(options: HostArguments, pool: ThreadPool): RunningHost {
  const { app: name, dev, logFd, logLinesPerSecond, headTimeoutMs } = options;
  const now = (): Date => new Date();
  const sink = createLogSink({ fd: logFd, app: name, linesPerSecond: logLinesPerSecond, now });
  const onConnections = (open: Record<string, OpenConnections>): void => send({ type: 'connections', open });
  const onScheduling = (policy: SchedulingPolicy): void => send({ type: 'scheduling', policy });
  const app = new HostApp({ app: name, pool, sink, now, dev, onConnections, onScheduling });
  const server = createHostServer({ app, dev, headTimeoutMs });
  const pulse = createPulse({ app, server });
  const listeners = new Listeners({ onSocket: (socket) => server.accept(socket) });

  async function answer(message: Exclude<ToHost, { type: 'connection' }>, handle: unknown): Promise<unknown> {
    switch (message.type) {
      case 'load': {
        const { release, releaseDir, env, check, fresh } = message;
        return await app.load({ app: name, release, releaseDir, env }, { check, fresh });
      }
      case 'activate': {
        sink.setRate(message.logLinesPerSecond);
        const result = await app.activate(message.release, message);
        server.prepare();
        return result;
      }
      case 'probe':
        return await app.probe(message.release);
      case 'discard':
        app.discard(message.release);
        return null;
      case 'connections':
        await app.databases.setLimits(message.limits, message.inherited);
        return null;
      case 'stats':
        return app.stats();
      case 'ping':
        return pulse();
      case 'listen':
        listeners.add(handle as ListeningHandle | null);
        return null;
      case 'unlisten':
        return listeners.close();
      case 'handover':
        return await handOver({ app, server });
      case 'leave':
        return await server.leave();
      case 'stop':
        listeners.close();
        await stop({ app, server, pool });
        return null;
    }
  }

  process.on('message', (message: ToHost, handle: unknown) => {
    if (message.type === 'connection') {
      send({ type: 'accepted', id: message.id });
      // The client may have gone while its connection was on the way.
      if (handle !== undefined && handle !== null) server.accept(handle as Socket);
      return;
    }
    const { id } = message;
    const copy = message.type === 'listen' && message.copy ? (handle as SendHandle) : undefined;
    answer(message, handle).then(
      (result) => send({ type: 'reply', id, ok: true, result }, copy),
      (error: unknown) => send(failure(id, error)),
    );
  });
  endWithDaemon();
  send({ type: 'started' });
  return { onStuck: (reason) => tellStuck(app, reason) };
}

function tellStuck(app: HostApp, reason: string): void {
  const message = `a thread does not end (${reason}); the process is replaced when another is warm`;
  app.log({ level: 'error', message });
  send({ type: 'stuck', reason });
}

function send(message: FromHost, handle?: SendHandle): void {
  process.send?.(message, handle);
}

function failure(id: number, error: unknown): FromHost {
  const code = error instanceof FnrunError ? error.code : 'FN_INTERNAL';
  return { type: 'reply', id, ok: false, code, message: error instanceof Error ? error.message : String(error) };
}

/** Also waits for what goes on behind the responses (`waitUntil`), which is bounded by itself. */
async function handOver({ app, server }: { app: HostApp; server: HostServer }): Promise<void> {
  await server.handOver((socket) => process.send?.({ type: 'returned' } satisfies FromHost, socket, {}, () => {}));
  await settled(app);
}

/** Resolves when no function has anything to do any more, at the latest after `limitMs`. */
async function settled(app: HostApp, { limitMs = Infinity }: { limitMs?: number } = {}): Promise<void> {
  const until = performance.now() + limitMs;
  while (app.stats().inFlight > 0 && performance.now() < until) await sleep(hostLimits.drainSweepMs);
}

async function stop({ app, server, pool }: { app: HostApp; server: HostServer; pool: ThreadPool }): Promise<void> {
  const deadline = setTimeout(() => process.kill(process.pid, 'SIGKILL'), hostLimits.stopMs);
  await server.drain();
  // Listeners that were told that their WebSocket is closed, and `waitUntil`.
  await settled(app, { limitMs: hostLimits.behindMs });
  app.close();
  await pool.close();
  clearTimeout(deadline);
  // After the reply has left.
  setImmediate(() => process.exit(0));
}

function endWithDaemon(): void {
  // Without its daemon a host serves nobody: the daemon held the sockets.
  // With it goes what it started, as far as that is in its process group.
  process.on('disconnect', () => {
    try {
      process.kill(-process.pid, 'SIGKILL');
    } finally {
      process.kill(process.pid, 'SIGKILL');
    }
  });
  // The terminal's Ctrl-C reaches the whole group; the daemon ends its hosts itself.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
}
