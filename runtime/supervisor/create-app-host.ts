import type { Socket } from 'node:net';
import type { ErrorCode } from '../contract/errors.ts';
import type { ActivateResult, HostStats, LoadResult } from '../contract/ipc.ts';
import { hostLimits, workerLimits } from '../contract/limits.ts';
import type { LogRecord } from '../contract/log.ts';
import { endWithProblem } from '../../router/client-error.ts';
import type { AppHost, AppHostOptions, AppHostStatus, ReleaseRef } from './app-host.ts';
import { HostProcess } from './host-process.ts';

/** Creates the supervisor of one app. No process runs until the first connection or `load`. */
export function createAppHost(options: AppHostOptions): AppHost {
  return new SupervisedHost(options);
}

class SupervisedHost implements AppHost {
  readonly #options: AppHostOptions;
  #live: ReleaseRef | null = null;
  #process: HostProcess | null = null;
  /** Resolves when the running or starting process serves the live release. */
  #ready: Promise<HostProcess> | null = null;
  #state: AppHostStatus['state'] = 'stopped';
  #restarts = 0;
  #crashes = 0;
  #lastExit: string | null = null;
  #retryTimer: NodeJS.Timeout | null = null;
  #healthyTimer: NodeJS.Timeout | null = null;
  /** Connections that wait for a process. */
  readonly #held = new Set<Socket>();

  constructor(options: AppHostOptions) {
    this.#options = options;
  }

  setLive(live: ReleaseRef): void {
    this.#live = live;
  }

  handle(socket: Socket): void {
    if (this.#state === 'stopping') {
      refuse(socket, 'FN_APP_UNAVAILABLE', 'The server is stopping');
    } else if (this.#state === 'running' && this.#process !== null) {
      this.#process.pass(socket);
    } else if (this.#held.size >= hostLimits.heldConnections) {
      refuse(socket, 'FN_APP_UNAVAILABLE', 'Too many connections wait for the app to start');
    } else if (this.#crashes > hostLimits.crashesHeld) {
      refuse(socket, 'FN_APP_UNAVAILABLE', 'The app host crashes again and again; its log says why');
    } else {
      this.#held.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.#held.delete(socket));
      if (this.#state === 'stopped') this.#wake();
    }
  }

  async load(
    candidate: ReleaseRef,
    { check, fresh = false }: { check: boolean; fresh?: boolean },
  ): Promise<LoadResult> {
    const host = await this.#running();
    const message = { type: 'load', ...candidate, check, fresh } as const;
    return (await host.request(message, { deadlineMs: hostLimits.bootCheckMs })) as LoadResult;
  }

  async activate(candidate: ReleaseRef): Promise<ActivateResult> {
    const host = await this.#running();
    const deadlineMs = workerLimits.loadMs + hostLimits.startMs;
    const result = (await host.request(
      { type: 'activate', release: candidate.release },
      { deadlineMs },
    )) as ActivateResult;
    this.#live = candidate;
    return result;
  }

  async discard(release: string): Promise<void> {
    if (this.#process === null) return;
    await this.#process.request({ type: 'discard', release }, { deadlineMs: hostLimits.startMs });
  }

  async stats(): Promise<HostStats | null> {
    if (this.#process === null || this.#state !== 'running') return null;
    try {
      return (await this.#process.request({ type: 'stats' }, { deadlineMs: hostLimits.statsMs })) as HostStats;
    } catch {
      // It died meanwhile: there are no figures of a host that does not run.
      return null;
    }
  }

  status(): AppHostStatus {
    return { state: this.#state, pid: this.#process?.pid ?? null, restarts: this.#restarts, lastExit: this.#lastExit };
  }

  async stop(): Promise<void> {
    const host = this.#process;
    this.#state = 'stopping';
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    if (this.#healthyTimer !== null) clearTimeout(this.#healthyTimer);
    for (const socket of this.#held) refuse(socket, 'FN_APP_UNAVAILABLE', 'The server is stopping');
    if (host === null) {
      this.#state = 'stopped';
      return;
    }
    const timer = setTimeout(() => host.kill(), hostLimits.stopMs + hostLimits.killSlackMs);
    await host.request({ type: 'stop' }, { deadlineMs: hostLimits.stopMs }).catch(() => host.kill());
    await host.exited;
    clearTimeout(timer);
    this.#state = 'stopped';
  }

  /** The process that serves the live release, started when there is none. */
  #running(): Promise<HostProcess> {
    if (this.#retryTimer !== null) {
      // Somebody wants it now: a deployment may well be what mends it.
      clearTimeout(this.#retryTimer);
      this.#retryTimer = null;
    }
    return (this.#ready ??= this.#start());
  }

  #wake(): void {
    this.#running().catch((error: unknown) => {
      for (const socket of this.#held)
        refuse(socket, 'FN_APP_UNAVAILABLE', 'The app does not start; it is tried again shortly');
      this.#note('error', error instanceof Error ? error.message : String(error));
    });
  }

  async #start(): Promise<HostProcess> {
    this.#state = 'starting';
    const { app, dev = false, onLog, execArgv = [] } = this.#options;
    const host = new HostProcess({ app, dev, onLog, execArgv });
    this.#process = host;
    void host.exited.then((reason) => this.#onExit(host, reason));
    try {
      await host.started;
      if (this.#live !== null) {
        const { release } = this.#live;
        await host.request(
          { type: 'load', ...this.#live, check: false, fresh: false },
          { deadlineMs: hostLimits.startMs },
        );
        await host.request({ type: 'activate', release }, { deadlineMs: workerLimits.loadMs + hostLimits.startMs });
      }
    } catch (error) {
      host.kill();
      throw error;
    }
    this.#state = 'running';
    this.#healthyTimer = setTimeout(() => {
      this.#crashes = 0;
    }, hostLimits.healthyMs);
    this.#healthyTimer.unref();
    for (const socket of this.#held) host.pass(socket);
    this.#held.clear();
    return host;
  }

  #onExit(host: HostProcess, reason: string): void {
    if (this.#process !== host) return;
    this.#process = null;
    this.#ready = null;
    if (this.#healthyTimer !== null) clearTimeout(this.#healthyTimer);
    const unaccepted = host.takeUnaccepted();
    if (this.#state === 'stopping') {
      for (const socket of unaccepted) refuse(socket, 'FN_APP_UNAVAILABLE', 'The server is stopping');
      return;
    }
    this.#crashes++;
    this.#restarts++;
    this.#lastExit = reason;
    const { restartBackoffMinMs, restartBackoffMaxMs } = hostLimits;
    // The first restart is at once: most deaths are single ones.
    const waitMs =
      this.#crashes === 1 ? 0 : Math.min(restartBackoffMaxMs, restartBackoffMinMs * 2 ** (this.#crashes - 1));
    this.#state = 'backoff';
    for (const socket of unaccepted) this.handle(socket);
    this.#note('error', `the app host ended (${reason}); it starts again ${waitMs === 0 ? 'now' : `in ${waitMs} ms`}`);
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = null;
      this.#wake();
    }, waitMs);
  }

  #note(level: LogRecord['level'], message: string): void {
    this.#options.onLog({ time: new Date().toISOString(), level, app: this.#options.app, message });
  }
}

/** Answers a connection that reaches no host, as far as that can be done without reading it. */
function refuse(socket: Socket, code: ErrorCode, detail: string): void {
  // Closing with unread bytes would reset the connection under the answer.
  socket.resume();
  endWithProblem(socket, code, { detail });
}
