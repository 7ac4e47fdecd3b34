import type { BootCheckEntry } from '../contract/ipc.ts';
import { invocationLimits, workerLimits } from '../contract/limits.ts';
import type { FunctionInspection } from '../contract/manifest.ts';
import { abortReasons, replyFlags, toHost, toWorker } from '../channel/frames.ts';
import type { Assignment, FrameBody, FrameField, ToHostControl } from '../channel/frames.ts';
import { IdTable } from '../channel/id-table.ts';
import { postInvoke } from '../channel/invoke-frame.ts';
import type { InvokeFields } from '../channel/invoke-frame.ts';
import { Outbox } from '../channel/outbox.ts';
import { AbortWatch } from './abort-watch.ts';
import { logLineAt, replyAt } from './frame-readers.ts';
import type { InvocationListener, WorkerLogLine } from './invocation.ts';
import { loadFailure } from './load-failure.ts';
import { readSocketFrame } from './websocket/frames.ts';
import { WorkerLoad } from './worker-load.ts';
import { endReasons } from '../pool/end-reasons.ts';
import type { Thread } from '../pool/thread-pool.ts';

/** What a worker's owner hears; `onFree`: an invocation is over, `waitUntil` included. */
export interface WorkerEvents {
  onLog(worker: FunctionWorker, line: WorkerLogLine): void;
  onFree(worker: FunctionWorker): void;
  /** An error escaped its handlers: it must be drained as soon as another can take its place. */
  onFaulty(worker: FunctionWorker, reason: string): void;
  onEnded(worker: FunctionWorker, reason: string): void;
}

export type WorkerState = 'loading' | 'ready' | 'draining' | 'ended';

/** The host's end of one worker: a thread that serves one function. */
export class FunctionWorker {
  readonly thread: Thread;
  readonly name: string;
  state: WorkerState = 'loading';
  /** Its thread was told to end, which may take long: what runs in it is lost. */
  ending = false;
  /** Settles once: with what loading told. */
  readonly loaded: Promise<BootCheckEntry>;
  inspection: FunctionInspection | null = null;
  /** Releases it was carried over into. */
  carryOvers = 0;
  /** `performance.now()` when it last became empty. */
  idleSince: number;
  /** Invocations that were answered, those that ended without the worker's end, and messages heard, so far. */
  answered = 0;
  finished = 0;
  heard = 0;
  /** An error escaped its handlers. */
  faulty = false;
  /** It was told to end when it is empty. */
  leaving = false;
  readonly load = new WorkerLoad();
  readonly #outbox: Outbox;
  #events: WorkerEvents;
  readonly #running = new IdTable<InvocationListener | null>();
  readonly #suspicions = new Set<number>();
  readonly #aborts: AbortWatch;
  #resolveLoaded: (entry: BootCheckEntry) => void = () => {};
  #drainTimer: NodeJS.Timeout | null = null;

  constructor(thread: Thread, { assignment, events }: { assignment: Assignment; events: WorkerEvents }) {
    this.thread = thread;
    this.name = assignment.name;
    this.#events = events;
    this.#outbox = new Outbox(thread.port);
    this.#aborts = new AbortWatch({
      tid: () => thread.tid,
      onBlocked: () => this.retire('its event loop is blocked'),
    });
    this.idleSince = performance.now();
    this.loaded = new Promise((resolve) => {
      this.#resolveLoaded = resolve;
    });
    const timer = setTimeout(() => this.#loadTimeout(), workerLimits.loadMs);
    void this.loaded.then(() => clearTimeout(timer));
    thread.port.on('message', (message: FrameField[] | ToHostControl) => {
      if (Array.isArray(message)) this.#receive(message);
      else if (message.type === 'loaded') this.#onLoaded(message);
      else if (message.type === 'faulty') this.#onFaulty(message.message);
      else if (message.type === 'fetch') thread.needsFetch();
    });
    void thread.ended.then((reason) => this.#onEnded(reason));
    thread.port.postMessage({ type: 'serve', assignment });
  }

  /** It was told of a timeout and has not answered yet: it may be blocked, and gets nothing new meanwhile. */
  get suspect(): boolean {
    return this.#suspicions.size > 0;
  }

  /** Invocations that hold a place. */
  get inFlight(): number {
    return this.#running.size;
  }

  /** The worker moves to another owner, with all that runs in it. */
  setEvents(events: WorkerEvents): void {
    this.#events = events;
  }

  /** Starts an invocation and returns its id in this worker. */
  invoke(fields: InvokeFields, listener: InvocationListener): number {
    const id = this.#running.add(listener);
    postInvoke(this.#outbox, id, fields);
    return id;
  }

  /** Gives a place to what talks to the worker in frames of its own, a WebSocket. Returns its id in this worker. */
  begin(listener: InvocationListener): number {
    return this.#running.add(listener);
  }

  /** Sends a frame of an invocation that runs. */
  post(opcode: number, id: number, ...fields: FrameField[]): void {
    if (!this.#running.has(id)) return;
    const sendable = fields.map((each) => (each instanceof Uint8Array ? this.#outbox.bytes(each) : each));
    this.#outbox.push(opcode, id, ...sendable);
  }

  sendBody(id: number, bytes: Uint8Array | null): void {
    if (!this.#running.has(id)) return;
    if (bytes === null) this.#outbox.push(toWorker.bodyEnd, id);
    else this.#outbox.push(toWorker.bodyChunk, id, this.#outbox.ownedIfWhole(bytes));
  }

  failBody(id: number, message: string): void {
    if (this.#running.has(id)) this.#outbox.push(toWorker.bodyFail, id, message);
  }

  grantCredit(id: number, bytes: number): void {
    if (this.#running.has(id)) this.#outbox.push(toWorker.credit, id, bytes);
  }

  /**
   * Aborts an invocation; its listener hears nothing more. A worker that does not
   * acknowledge within `graceMs` is blocked in its own code: its thread is ended.
   */
  abort(id: number, reasonIndex: number, { graceMs = invocationLimits.abortGraceMs }: { graceMs?: number } = {}): void {
    if ((this.#running.get(id) ?? null) === null) return;
    this.#running.set(id, null);
    this.#outbox.push(toWorker.abort, id, reasonIndex);
    if (abortReasons[reasonIndex] === 'timeout') this.#suspicions.add(id);
    this.#aborts.expect(id, graceMs);
  }

  /** Serves on under the name of a newer release whose code for this function is the same. */
  relabel(release: string): void {
    this.carryOvers++;
    this.#outbox.flush();
    this.thread.port.postMessage({ type: 'relabel', release });
  }

  /** No further invocations; ends when empty, at the latest after `drainMs`. */
  drain(drainMs: number = workerLimits.drainMs): void {
    if (this.state === 'draining' || this.state === 'ended') return;
    this.state = 'draining';
    this.leaving = true;
    if (this.#running.size === 0) {
      this.#leave();
      return;
    }
    for (const listener of this.#running.values()) listener?.onDrain?.();
    this.#drainTimer = setTimeout(() => this.retire('it reached the drain deadline'), drainMs);
  }

  /** Ends the thread now. */
  retire(reason: string): void {
    if (this.state !== 'ended') this.state = 'draining';
    this.ending = true;
    void this.thread.terminate(reason);
  }

  #leave(): void {
    const retire = (): void => this.retire(endReasons.drained);
    void (this.thread.beforeEnd?.()?.then(retire) ?? retire());
  }

  #receive(batch: FrameField[]): void {
    let lines = 0;
    this.heard++;
    this.load.heardAt = performance.now();
    for (let i = 0; i < batch.length;) {
      const id = batch[i + 1] as number;
      switch (batch[i] as number) {
        case toHost.respond: {
          const body = batch[i + 4] as FrameBody;
          if (body !== true) this.answered++;
          const pending = ((batch[i + 6] as number) & replyFlags.pending) !== 0;
          const listener = body === true ? this.#running.get(id) : this.#finish(id, pending);
          listener?.onRespond(replyAt(batch, i));
          i += 7;
          break;
        }
        case toHost.chunk:
          this.#running.get(id)?.onChunk(batch[i + 2] as Uint8Array);
          i += 3;
          break;
        case toHost.end:
          this.answered++;
          this.#finish(id, batch[i + 2] as boolean)?.onEnd();
          i += 3;
          break;
        case toHost.fail:
          this.#finish(id, batch[i + 5] as boolean)?.onFail(
            batch[i + 2] as string,
            batch[i + 3] as string,
            batch[i + 4] as string | null,
          );
          i += 6;
          break;
        case toHost.credit:
          this.#running.get(id)?.onCredit(batch[i + 2] as number);
          i += 3;
          break;
        case toHost.settled:
          this.#free(id);
          i += 2;
          break;
        case toHost.aborted:
          this.#aborts.acknowledged(id);
          if (this.#suspicions.delete(id) && this.state === 'ready') this.#events.onFree(this);
          i += 2;
          break;
        case toHost.log:
          this.#events.onLog(this, logLineAt(batch, i));
          lines++;
          i += 7;
          break;
        default:
          i += readSocketFrame(batch, i, this.#running.get(id));
      }
    }
    if (lines > 0) this.#outbox.push(toWorker.logAck, lines);
  }

  /** The handler's part is over; with `pending`, its place stays taken until `settled`. */
  #finish(id: number, pending: boolean): InvocationListener | null | undefined {
    const listener = this.#running.get(id);
    this.finished++;
    this.load.answeredAt = this.load.heardAt;
    if (pending) this.#running.set(id, null);
    else this.#free(id);
    return listener;
  }

  #free(id: number): void {
    if (!this.#running.delete(id)) return;
    if (this.#running.size === 0) {
      this.idleSince = performance.now();
      if (this.state === 'draining') {
        this.#leave();
        return;
      }
    }
    if (this.state === 'ready') this.#events.onFree(this);
  }

  #onLoaded(message: Extract<ToHostControl, { type: 'loaded' }>): void {
    const inspection = message.inspection as FunctionInspection | null;
    this.inspection = inspection;
    if (inspection !== null && this.state === 'loading') this.state = 'ready';
    this.#resolveLoaded({
      name: message.name,
      reused: false,
      ms: message.ms,
      inspection,
      error: message.error as BootCheckEntry['error'],
    });
    if (inspection === null) this.retire('it did not load');
  }

  #loadTimeout(): void {
    this.#resolveLoaded(
      loadFailure(this.name, 'FN_LOAD_TIMEOUT', `the module did not load within ${workerLimits.loadMs} ms`),
    );
    this.retire('it did not load in time');
  }

  #onFaulty(reason: string): void {
    if (this.faulty) return;
    this.faulty = true;
    if (this.state === 'ready') this.#events.onFaulty(this, reason);
    else this.drain();
  }

  #onEnded(reason: string): void {
    this.state = 'ended';
    this.#outbox.close();
    if (this.#drainTimer !== null) clearTimeout(this.#drainTimer);
    this.#aborts.close();
    this.#resolveLoaded(
      loadFailure(this.name, 'FN_LOAD_FAILED', `the worker ended while the module loaded: ${reason}`),
    );
    const left = this.#running.values();
    this.#running.clear();
    for (const listener of left) listener?.onWorkerGone(reason);
    this.#events.onEnded(this, reason);
  }
}
