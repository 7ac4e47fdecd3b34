import { createHistogram } from 'node:perf_hooks';
import { LoadConnection, type Outcome } from './connection.ts';
import type { LoadOrder, LoadResult } from './messages.ts';
import { clock, type PacerOptions } from './pacer.ts';

export interface RunLoadOptions {
  /** Calls `tick` whenever something is due, until the end; resolves then, or soon after `signal`. */
  ticks: (options: PacerOptions, tick: () => void, signal: AbortSignal) => Promise<void>;
}

/** Time for the pacer to start. */
const leadMs = 100;
/** Finer ticks would cost more than they bring. */
const tickMs = 0.25;

/**
 * Sends requests at a fixed rate, whatever the answers do. A request's latency counts from when it was due, not from when
 * it could be sent, so that a server that stalls is charged for all that it kept waiting (no coordinated omission).
 */
export async function runLoad(order: LoadOrder, { ticks }: RunLoadOptions): Promise<LoadResult> {
  const load = new Load(order);
  const before = performance.eventLoopUtilization();
  await load.run(ticks);
  const { utilization } = performance.eventLoopUtilization(before);
  return { ...load.result(), utilization };
}

class Load {
  readonly #order: LoadOrder;
  readonly #startMs = clock() + leadMs;
  readonly #fromMs: number;
  readonly #endMs: number;
  readonly #request: Buffer;
  readonly #idle: LoadConnection[] = [];
  readonly #all = new Set<LoadConnection>();
  /** When each was due, and how many of them have been taken. */
  #waiting: number[] = [];
  #taken = 0;
  #inFlight = 0;
  #sent = 0;
  #good = 0;
  #mostWaiting = 0;
  readonly #outcomes: Record<string, number> = {};
  readonly #latency = createHistogram();
  readonly #lag = createHistogram();
  readonly #over = new AbortController();

  constructor(order: LoadOrder) {
    this.#order = order;
    this.#request = Buffer.from(order.request);
    this.#fromMs = this.#startMs + order.warmUpMs;
    this.#endMs = this.#fromMs + order.durationMs;
  }

  async run(ticks: RunLoadOptions['ticks']): Promise<void> {
    const { requestsPerSecond, connections, timeoutMs } = this.#order;
    const everyMs = requestsPerSecond === null ? 5 : Math.max(1000 / requestsPerSecond, tickMs);
    const pacer = { startMs: this.#startMs, endMs: this.#endMs, everyMs };
    if (requestsPerSecond === null) for (let i = 0; i < connections; i++) this.#start(clock());
    const sendDue = (): void => (requestsPerSecond === null ? undefined : this.#sendDue(requestsPerSecond));
    await ticks(pacer, sendDue, this.#over.signal);
    sendDue();
    for (const dueMs of this.#waiting.slice(this.#taken)) this.#count('unsent', dueMs);
    this.#waiting = [];
    this.#taken = 0;
    const deadlineMs = clock() + timeoutMs + 1_000;
    while (this.#inFlight > 0 && clock() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const connection of this.#all) connection.destroy();
  }

  result(): Omit<LoadResult, 'utilization'> {
    const outcomes = this.#outcomes;
    const offered = Object.values(outcomes).reduce((sum, each) => sum + each, 0);
    const [latency, lag] = [this.#latency, this.#lag];
    return { offered, good: this.#good, outcomes, latency, lag, mostWaiting: this.#mostWaiting };
  }

  #sendDue(requestsPerSecond: number): void {
    const intervalMs = 1000 / requestsPerSecond;
    const until = Math.min(clock(), this.#endMs);
    const due = (): number => this.#startMs + this.#sent * intervalMs;
    for (; due() < until && !this.#over.signal.aborted; this.#sent++) this.#start(due());
  }

  #start(dueMs: number): void {
    let connection = this.#idle.pop();
    // Idle ones that the server has closed.
    while (connection !== undefined && !connection.usable) {
      this.#all.delete(connection);
      connection = this.#idle.pop();
    }
    if (connection === undefined) {
      if (this.#all.size >= this.#order.connections) return this.#wait(dueMs);
      connection = this.#connect();
    } else if (dueMs >= this.#fromMs) this.#lag.record(micros(clock() - dueMs));
    this.#sendOn(connection, dueMs);
  }

  #wait(dueMs: number): void {
    this.#waiting.push(dueMs);
    const waiting = this.#waiting.length - this.#taken;
    this.#mostWaiting = Math.max(this.#mostWaiting, waiting);
    if (waiting > this.#order.waitingMax) this.#over.abort();
  }

  #connect(): LoadConnection {
    const connection = new LoadConnection(this.#order.address, this.#order);
    this.#all.add(connection);
    return connection;
  }

  #sendOn(connection: LoadConnection, dueMs: number): void {
    this.#inFlight++;
    const onEnd = (outcome: Outcome, reusable: boolean): void => {
      this.#inFlight--;
      this.#count(outcome, dueMs);
      if (!reusable) this.#all.delete(connection);
      const next = this.#next();
      if (next !== null) this.#sendOn(reusable ? connection : this.#connect(), next);
      else if (reusable) this.#idle.push(connection);
    };
    connection.send(this.#request, { timeoutMs: this.#order.timeoutMs, onEnd });
  }

  /** When the next request is due for a connection that has become free; null: none is. */
  #next(): number | null {
    if (this.#order.requestsPerSecond === null) return clock() < this.#endMs ? clock() : null;
    if (this.#taken === this.#waiting.length) return null;
    const next = this.#waiting[this.#taken++]!;
    if (this.#taken > 1_000 && this.#taken * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#taken);
      this.#taken = 0;
    }
    return next;
  }

  #count(outcome: Outcome | 'unsent', dueMs: number): void {
    const atMs = clock();
    const isGood = typeof outcome === 'number' && outcome < 400;
    // Whenever they were due: what is still under way at the end has its like from before the begin.
    if (isGood && atMs >= this.#fromMs && atMs < this.#endMs) this.#good++;
    if (dueMs < this.#fromMs) return;
    this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1;
    if (isGood || outcome === 'unsent' || outcome === 'timeout') this.#latency.record(micros(atMs - dueMs));
  }
}

function micros(ms: number): number {
  return Math.max(1, Math.round(ms * 1000));
}
