import type { ChildProcess, SendHandle } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { FnrunError } from '../contract/errors.ts';
import type { FromHost, OpenConnections, ToHost } from '../contract/ipc.ts';
import { hostLimits } from '../contract/limits.ts';
import type { LogRecord } from '../contract/log.ts';
import type { AppUser } from './app-user.ts';
import { startDeadline } from './cpu-line.ts';
import type { Cgroups, HostCgroup } from './cgroup.ts';
import { hearOut } from './hear-out.ts';
import type { ProcessEnd } from './exits.ts';
import { readHostLines, readLogRecords } from './host-output.ts';
import type { HostProcessOptions } from './host-process-options.ts';
import type { LaunchPlan } from './launch-plan.ts';
import { freezeTree, killRest } from './process-tree.ts';
import type { ProcessTree } from './process-tree.ts';
import { exceeded, ProcessWatch } from './process-watch.ts';
import type { ListeningHandle } from '../listening-handle.ts';
import { Requests } from './requests.ts';
import { Scheduler } from './scheduler.ts';
import { logFd, spawnHost } from './spawn-host.ts';
import { unread } from './unread.ts';

type Request = Exclude<ToHost, { type: 'connection' | 'listen' }>;
type WithoutId<T> = T extends { id: number } ? Omit<T, 'id'> : never;

/** One running app host process, with all that it started. */
export class HostProcess {
  /** Resolves when the process answers. Rejects with `FN_HOST_FAILED`. */
  readonly started: Promise<void>;
  /** Resolves when the process is gone. */
  readonly exited: Promise<ProcessEnd>;
  /** Resolves when, after its end, all that it said has been heard. */
  readonly heardOut: Promise<void>;
  readonly watch: ProcessWatch;
  /** Database connections that it may have, or had when it ended, by database. */
  connections: Record<string, OpenConnections> = {};
  readonly startedAt = performance.now();
  readonly #options: HostProcessOptions;
  readonly #child: ChildProcess;
  readonly #cgroup: HostCgroup | null;
  readonly #own: { user: AppUser; temporary: string } | null;
  readonly #requests: Requests;
  readonly #scheduler: Scheduler;
  readonly #passing = new Map<number, Socket>();
  #plan: LaunchPlan;
  #lastWords: string | null = null;
  #killedFor: string | null = null;
  /** When it last said anything. */
  #heardAt = 0;

  constructor(options: HostProcessOptions) {
    const { app, plan, cgroups, user } = options;
    this.#options = options;
    this.#requests = new Requests(app);
    this.#plan = plan;
    this.#cgroup = cgroups === null ? null : this.#join(cgroups);
    this.#own = user === null ? null : { user, temporary: user.newFolder() };
    this.#child = spawnHost({ ...options, cgroup: this.#cgroup, own: this.#own });
    this.#scheduler = new Scheduler({
      pid: this.pid,
      user,
      isGone: () => this.#isGone,
      onRefused: (why) => this.#note('info', `its threads keep their scheduling policy: ${why}`),
    });
    this.watch = new ProcessWatch({
      pid: this.pid,
      judge: (use) => exceeded(use, this.#plan.limits),
      children: plan.permissions.childProcess,
      onExceeded: (reason) => this.kill(reason),
    });
    this.#readOutput();
    const exited = Promise.withResolvers<ProcessEnd>();
    this.exited = exited.promise;
    this.started = this.#awaitStart();
    this.heardOut = hearOut(this.#child, this.exited);
    // Whoever does not wait for the start hears of its failure by `exited`.
    this.started.catch(() => {});
    this.#child.on('exit', (code, by) => {
      const end = { reason: this.#endReason(code, by), lastWords: this.#lastWords };
      this.#requests.rejectAll(
        `the app host of ${app} ended (${end.reason}${end.lastWords === null ? '' : `: ${end.lastWords}`})`,
      );
      exited.resolve(end);
      const cleared = this.#clear();
      this.#own?.user.track(cleared);
    });
    this.#child.on('error', (error) => {
      this.#requests.rejectAll(`the app host of ${app} failed: ${error.message}`);
      // A process that was never there does not exit.
      if (this.#child.pid === undefined)
        exited.resolve({ reason: `cannot be started: ${error.message}`, lastWords: null });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get plan(): LaunchPlan {
    return this.#plan;
  }

  /** Whether the kernel holds it to its limits. */
  get inCgroup(): boolean {
    return this.#cgroup !== null;
  }

  /** When it last said anything, by `performance.now()`. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Whether it is asked for something that it has not answered. */
  get asked(): boolean {
    return this.#requests.size > 0 || this.#passing.size > 0;
  }

  /** Another release with the same permissions: what can change in a running process does. */
  adopt(plan: LaunchPlan): void {
    this.#plan = plan;
    try {
      this.#cgroup?.apply(plan.limits);
    } catch (error) {
      this.#note('warn', `cannot change the limits of its cgroup: ${(error as Error).message}`);
    }
  }

  /** Sends a request and waits for its reply. Rejects when the host says so, dies, or the deadline passes. */
  request(message: WithoutId<Request>, { deadlineMs }: { deadlineMs: number }): Promise<unknown> {
    const { id, reply } = this.#requests.open(message.type, deadlineMs);
    this.#send({ ...message, id });
    return reply;
  }

  /**
   * Has it accept from the socket of `handle`. Resolves when it does: with another handle of that socket, on which nobody
   * listens, when a `copy` is asked for.
   */
  async listenOn(handle: ListeningHandle, { copy }: { copy: boolean }): Promise<ListeningHandle | null> {
    const { id, reply } = this.#requests.open('listen', hostLimits.startMs);
    this.#send({ type: 'listen', id, copy }, handle as unknown as SendHandle);
    return (await reply) as ListeningHandle | null;
  }

  /** Hands a connection over. Our end stays open until the host says that it has it. */
  pass(socket: Socket): void {
    const id = this.#requests.nextId();
    this.#passing.set(id, socket);
    // Node would close our end by itself, also when the host dies with the connection on its way.
    const message: ToHost = { type: 'connection', id };
    if (this.#child.connected) this.#child.send(message, socket, { keepOpen: true }, () => {});
  }

  /** Connections that a dead process never took: nothing was read from them. */
  takeUnaccepted(): Socket[] {
    const sockets = [...this.#passing.values()];
    this.#passing.clear();
    return sockets;
  }

  /** Ends the process at once, and all that it started. `reason` is told as that of its end. */
  kill(reason?: string): void {
    this.#killedFor ??= reason ?? null;
    if (!this.#isGone) freezeTree(this.#tree);
    this.#child.kill('SIGKILL');
  }

  get #isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get #tree(): ProcessTree {
    return { pid: this.pid, descendants: () => this.watch.descendants() };
  }

  #join(cgroups: Cgroups): HostCgroup | null {
    try {
      return cgroups.create(this.#options.app, this.#plan.limits);
    } catch (error) {
      this.#note('warn', `has no cgroup, its limits are watched instead: ${(error as Error).message}`);
      return null;
    }
  }

  #endReason(code: number | null, by: string | null): string {
    if (this.#killedFor !== null) return this.#killedFor;
    const { memoryMb } = this.#plan.limits;
    if (this.#cgroup?.outOfMemory === true) return `it reached its memory limit (limits.memoryMb = ${memoryMb})`;
    return by === null ? `exit code ${code}` : `signal ${by}`;
  }

  /** What it started ends with it, whether it ended by itself or not. */
  async #clear(): Promise<void> {
    this.watch.stop();
    this.#cgroup?.kill();
    await killRest(this.#tree);
    await this.#own?.user.remove(this.#own.temporary);
    await this.#cgroup?.remove();
  }

  #send(message: ToHost, handle?: SendHandle): void {
    // A channel that is closed is followed by 'exit', which rejects what waits.
    if (this.#child.connected) this.#child.send(message, handle, {}, () => {});
  }

  #awaitStart(): Promise<void> {
    const { app } = this.#options;
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new FnrunError('FN_HOST_FAILED', `the app host of ${app} ${why}`));
      const stopWaiting = startDeadline(this.pid, (afterMs) => {
        fail(`did not start within ${afterMs} ms`);
        this.kill(`it did not start within ${afterMs} ms`);
      });
      this.#child.on('message', (message: FromHost, handle: unknown) => {
        this.#heardAt = performance.now();
        if (message.type === 'started') {
          stopWaiting();
          resolve();
        } else this.#receive(message, handle);
      });
      this.#child.once('error', (error) => {
        stopWaiting();
        fail(`cannot be started: ${error.message}`);
      });
      this.#child.once('exit', (code, by) => {
        stopWaiting();
        fail(`ended while it started (${by ?? `exit code ${code}`}) ${this.#lastWords ?? ''}`.trimEnd());
      });
    });
  }

  #receive(message: Exclude<FromHost, { type: 'started' }>, handle: unknown): void {
    switch (message.type) {
      case 'reply':
        this.#requests.settle(message, handle);
        break;
      case 'accepted':
        this.#passing.get(message.id)?.destroy();
        this.#passing.delete(message.id);
        break;
      case 'returned':
        // The client may have gone while its connection was on the way.
        if (handle !== undefined && handle !== null) this.#options.onReturned(unread(handle as Socket));
        break;
      case 'connections':
        this.connections = message.open;
        break;
      case 'scheduling':
        void this.#scheduler.set(message.policy);
        break;
      case 'stuck':
        this.#options.onStuck(this, message.reason);
        break;
    }
  }

  #note(level: LogRecord['level'], message: string): void {
    const { app, onLog } = this.#options;
    onLog({ time: new Date().toISOString(), level, app, message });
  }

  /** Native code and V8 itself write to the standard streams; what came last tells why a host died. */
  #readOutput(): void {
    readLogRecords(this.#child.stdio[logFd] as Readable, {
      onLog: this.#options.onLog,
      onCut: (line) => this.#note('warn', `log line cut off: ${line}`),
    });
    readHostLines(this.#child.stdout!, (line) => this.#note('info', line));
    readHostLines(this.#child.stderr!, (line) => {
      // A native stack comes last, and names functions such as node::OOMErrorHandler.
      const tells = /fatal|error/i.test(line) && !/^\s*\d+: 0x/.test(line);
      if (this.#lastWords === null || tells) this.#lastWords = line.trim().slice(0, 200);
      this.#note('error', line);
    });
  }
}
