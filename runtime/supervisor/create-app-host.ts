import type { Socket } from 'node:net';
import type { ActivateResult, HostPulse, HostStats, LoadResult, ProbeResult } from '../contract/ipc.ts';
import { hostLimits } from '../contract/limits.ts';
import type { LogRecord } from '../contract/log.ts';
import type { AppHost, AppHostOptions, AppHostStatus, ReleaseRef } from './app-host.ts';
import { Backoff } from './backoff.ts';
import { ConnectionShares } from './connection-shares.ts';
import { exitOf, type ProcessEnd } from './exits.ts';
import { Heartbeat } from './heartbeat.ts';
import { Held } from './held.ts';
import { HostProcess } from './host-process.ts';
import { hostDefaults } from './host-process-options.ts';
import { activateIn, bringUp, loadIn, probeIn, statsOf } from './launch.ts';
import { defaultPlan, readPlan, sameProcess, type LaunchPlan } from './launch-plan.ts';
import { Leaving } from './leaving.ts';
import { refuse } from './refuse.ts';
import { joinShares } from './share-holder.ts';
import type { SharedSocket } from './shared-socket.ts';
import { Turns } from './turns.ts';
import { processStatus } from './process-status.ts';

/** Creates the supervisor of one app. No process runs until the first connection or `load`. */
export function createAppHost(options: AppHostOptions): AppHost {
  return new SupervisedHost({ connectionShares: new ConnectionShares(), ...options });
}

const stopping = { detail: 'The server is stopping' };

class SupervisedHost implements AppHost {
  readonly #options: AppHostOptions & { connectionShares: ConnectionShares };
  #socket: SharedSocket | null = null;
  #live: ReleaseRef | null = null;
  #state: AppHostStatus['state'] = 'stopped';
  /** The process that serves, or will when it has started. */
  #process: HostProcess | null = null;
  /** Resolves when that process serves the live release. */
  #ready: Promise<HostProcess> | null = null;
  #heartbeat: Heartbeat | null = null;
  /** A process that has a candidate loaded which needs other permissions than the live release. */
  #successor: { host: HostProcess; release: string } | null = null;
  /** The candidate that the serving process has loaded. */
  #candidate: string | null = null;
  #restarts = 0;
  #replacedAt = -Infinity;
  readonly #backoff = new Backoff();
  readonly #leaving = new Leaving({ onUnaccepted: (sockets) => this.#handleAll(sockets) });
  /** What starts, switches or replaces processes is done one after the other. */
  readonly #turns = new Turns();
  readonly #held = new Held();

  constructor(options: AppHostOptions & { connectionShares: ConnectionShares }) {
    this.#options = options;
  }

  setLive(live: ReleaseRef): void {
    this.#live = live;
  }

  share(socket: SharedSocket): void {
    this.#socket = socket;
    if (this.#state === 'running' && this.#process !== null) void socket.giveTo(this.#process);
  }

  handle(socket: Socket): void {
    if (this.#state === 'stopping') {
      refuse(socket, stopping);
    } else if (this.#state === 'running' && this.#process !== null) {
      this.#process.pass(socket);
    } else if (this.#held.full) {
      refuse(socket, { detail: 'Too many connections wait for the app to start' });
    } else if (this.#backoff.failures > hostLimits.crashesHeld) {
      refuse(socket, this.#backoff.refusal());
    } else {
      this.#held.add(socket);
      if (this.#state === 'stopped') this.#wake();
    }
  }

  load(candidate: ReleaseRef, { check, fresh = false }: { check: boolean; fresh?: boolean }): Promise<LoadResult> {
    return this.#turns.run(async () => {
      this.#dropSuccessor();
      const plan = await readPlan(candidate.releaseDir, { policy: this.#options.policy ?? {}, strict: true });
      const current = await this.#running(plan);
      const same = sameProcess(current.plan, plan);
      const host = same ? current : this.#spawn(plan);
      if (same) this.#candidate = candidate.release;
      else this.#successor = { host, release: candidate.release };
      try {
        await host.started;
        return { ...(await loadIn(host, candidate, { check, fresh })), newProcess: !same };
      } catch (error) {
        this.#dropSuccessor();
        throw error;
      }
    });
  }

  probe(release: string): Promise<ProbeResult> {
    return this.#turns.run(async () => await probeIn(this.#successorFor(release) ?? (await this.#running()), release));
  }

  activate(candidate: ReleaseRef): Promise<ActivateResult> {
    return this.#turns.run(async () => {
      const successor = this.#successorFor(candidate.release);
      const host = successor ?? (await this.#running());
      const plan =
        successor?.plan ?? (await readPlan(candidate.releaseDir, { policy: this.#options.policy ?? {}, strict: true }));
      const warm = successor === null ? {} : (this.#heartbeat?.pulse.ready ?? {});
      const result = await activateIn(host, { release: candidate.release, plan, warm, strict: true });
      this.#live = candidate;
      this.#candidate = null;
      this.#options.connectionShares.refresh();
      if (successor === null) host.adopt(plan);
      else {
        this.#successor = null;
        await this.#takeOver(successor);
      }
      return result;
    });
  }

  async discard(release: string): Promise<void> {
    if (this.#successorFor(release) !== null) this.#dropSuccessor();
    if (this.#candidate === release) this.#candidate = null;
    await this.#process?.request({ type: 'discard', release }, { deadlineMs: hostLimits.startMs });
  }

  async stats(): Promise<HostStats | null> {
    return this.#process === null || this.#state !== 'running' ? null : await statsOf(this.#process);
  }

  status(): AppHostStatus {
    const own = { state: this.#state, restarts: this.#restarts, leaving: this.#leaving.count };
    return { ...own, ...this.#backoff.status, ...processStatus(this.#process, this.#heartbeat) };
  }

  async stop({ finish = false }: { finish?: boolean } = {}): Promise<void> {
    if (finish) await this.#leaving.finish(this.#ready);
    this.#state = 'stopping';
    this.#backoff.cancel();
    this.#heartbeat?.stop();
    this.#held.refuseAll(stopping);
    this.#dropSuccessor();
    // Who waits in it is told that the server stops.
    this.#socket?.accept();
    if (this.#process !== null) this.#leaving.stop(this.#process);
    await this.#leaving.empty();
    this.#socket?.close();
    this.#state = 'stopped';
  }

  /** The process that serves the live release, started when there is none; with `plan` when nothing is live. */
  #running(plan?: LaunchPlan): Promise<HostProcess> {
    // Somebody wants it now: a deployment may well be what mends it.
    this.#backoff.cancel();
    return (this.#ready ??= this.#start(plan));
  }

  #wake(): void {
    this.#running().catch((error: unknown) => {
      this.#held.refuseAll(this.#backoff.refusal());
      this.#note('error', error instanceof Error ? error.message : String(error));
    });
  }

  async #start(plan?: LaunchPlan): Promise<HostProcess> {
    this.#state = 'starting';
    const { policy = {} } = this.#options;
    const live = this.#live;
    const own = live === null ? null : await readPlan(live.releaseDir, { policy, strict: false });
    if (this.#stopping) throw new Error(stopping.detail);
    const host = this.#spawn(own ?? plan ?? defaultPlan(policy));
    this.#process = host;
    await bringUp(host, { live });
    if (this.#process !== host || this.#stopping) throw new Error(stopping.detail);
    void this.#serve(host);
    return host;
  }

  #spawn(plan: LaunchPlan): HostProcess {
    const host = new HostProcess({
      ...hostDefaults,
      ...this.#options,
      plan,
      onStuck: (stuck, reason) => void this.#turns.run(() => this.#replace(stuck, reason)),
      onReturned: (socket) => this.handle(socket),
    });
    void host.exited.then((end) => this.#onExit(host, end));
    joinShares(host, this.#options);
    return host;
  }

  /** From here on `host` gets the connections. Resolves when it accepts those to come by itself. */
  async #serve(host: HostProcess): Promise<void> {
    this.#state = 'running';
    this.#backoff.started();
    this.#heartbeat?.stop();
    this.#heartbeat = new Heartbeat(host, {
      onPulse: (pulse) => this.#sleepIfIdle(host, pulse),
      onSilent: (ms) => host.kill(`it did not answer for ${ms} ms`),
    });
    // Before those that were held, which are passed one after the other: a busy host takes its time for each.
    const given = this.#socket?.giveTo(host);
    this.#handleAll(this.#held.take());
    await given;
  }

  /** Puts `next`, which serves already, into the place of the process there is; that one gives its connections back. */
  async #takeOver(next: HostProcess): Promise<void> {
    const old = this.#process;
    this.#process = next;
    this.#ready = Promise.resolve(next);
    const replaced = this.#serve(next);
    await (old === null ? replaced : this.#leaving.handOver(old, { replaced }));
  }

  /** A thread of `host` does not end. It serves on until another process is warm: only that invocation is lost. */
  async #replace(host: HostProcess, reason: string): Promise<void> {
    const waitMs = this.#replacedAt + hostLimits.replaceEveryMs - performance.now();
    if (this.#process !== host || this.#state !== 'running') return;
    if (waitMs > 0) {
      setTimeout(() => void this.#turns.run(() => this.#replace(host, reason)), waitMs).unref();
      return;
    }
    this.#replacedAt = performance.now();
    const next = this.#spawn(host.plan);
    try {
      await bringUp(next, { live: this.#live, warm: this.#heartbeat?.pulse.ready ?? {} });
    } catch (error) {
      this.#note('error', `its replacement does not start: ${(error as Error).message}`);
      return;
    }
    if (this.#process !== host || this.#stopping) return next.kill();
    this.#restarts++;
    this.#record(host, { reason: `a thread of it did not end (${reason})`, lastWords: null });
    this.#candidate = null;
    await this.#takeOver(next);
  }

  #sleepIfIdle(host: HostProcess, { idleMs }: HostPulse): void {
    const { idleStopMs } = host.plan.limits;
    const wanted = host.asked || this.#turns.busy || this.#candidate !== null || this.#successor !== null;
    if (idleStopMs === 0 || idleMs < idleStopMs || this.#options.dev === true || wanted) return;
    if (this.#process !== host || this.#state !== 'running') return;
    this.#process = null;
    this.#ready = null;
    this.#state = 'stopped';
    this.#heartbeat?.stop();
    this.#note('info', `stopped: no connection for ${Math.round(idleMs / 1000)} s; the next one starts it again`);
    this.#socket?.accept();
    // A connection may have come to it meanwhile, which is another's then.
    void this.#leaving.handOver(host, { replaced: Promise.resolve() });
  }

  #onExit(host: HostProcess, end: ProcessEnd): void {
    if (this.#successor?.host === host) this.#successor = null;
    if (this.#process !== host) return;
    this.#process = null;
    this.#ready = null;
    this.#candidate = null;
    this.#socket?.accept();
    const unaccepted = host.takeUnaccepted();
    if (this.#stopping) return this.#handleAll(unaccepted);
    this.#record(host, end);
    this.#heartbeat?.stop();
    this.#restarts++;
    this.#state = 'backoff';
    const waitMs = this.#backoff.failed(() => this.#wake());
    this.#handleAll(unaccepted);
    const when = waitMs === 0 ? 'now' : `in ${waitMs} ms`;
    this.#note('error', `the app host ended (${this.#backoff.last}); it starts again ${when}`);
  }

  #record(host: HostProcess, end: ProcessEnd): void {
    this.#backoff.add(exitOf(host.startedAt, end, this.#heartbeat?.pulse.inFlight ?? {}));
  }

  #successorFor = (release: string): HostProcess | null =>
    this.#successor?.release === release ? this.#successor.host : null;

  #dropSuccessor(): void {
    this.#successor?.host.kill();
    this.#successor = null;
  }

  #handleAll(sockets: Iterable<Socket>): void {
    for (const socket of sockets) this.handle(socket);
  }

  get #stopping(): boolean {
    return this.#state === 'stopping';
  }

  #note(level: LogRecord['level'], message: string): void {
    this.#options.onLog({ time: new Date().toISOString(), level, app: this.#options.app, message });
  }
}
