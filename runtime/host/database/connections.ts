import { databaseLimits } from '../../contract/limits.ts';
import type {
  DatabaseFigures,
  DatabaseToHost,
  DatabaseToWorker,
  FrameField,
  ToHostControl,
} from '../../channel/frames.ts';
import type { OpenConnections } from '../../contract/ipc.ts';
import type { Thread } from '../../pool/thread-pool.ts';
import { OpenReport } from './open-report.ts';
import { Orphans } from './orphans.ts';
import { PermitBroker } from './permits.ts';
import type { PermitHolder } from './permits.ts';

/** A worker's part in one database. */
interface Part {
  holder: PermitHolder;
  /** The server's numbers of its connections. */
  ids: number[];
  figures: DatabaseFigures;
  /** Called when it has no permit any more. */
  onEmpty: (() => void) | null;
}

interface DatabaseState {
  broker: PermitBroker;
  orphans: Orphans;
  byHolder: Map<PermitHolder, Thread>;
}

/** Figures of a function over all its workers, those that have ended included. */
export type FunctionFigures = DatabaseFigures & { connections: number };

/**
 * The app's budget of database connections in this process: workers ask for a permit before they open one, over the
 * port of their thread. Nobody waits here.
 */
export class DatabaseConnections {
  readonly #databases = new Map<string, DatabaseState>();
  #limits: Record<string, number> = {};
  readonly #ended = new Map<string, DatabaseFigures>();
  readonly #parts = new Map<Thread, { name: string; parts: Map<string, Part> }>();
  readonly #report: OpenReport;
  #timer: NodeJS.Timeout | null = null;

  /** `onOpen` is told of the connections there may be, by database: before one more is opened, and some time after one is gone. */
  constructor({ onOpen }: { onOpen: (open: Record<string, OpenConnections>) => void }) {
    this.#report = new OpenReport({ open: () => this.#open(), onOpen });
  }

  /** Serves a thread that was taken for the function `name`. */
  attach(thread: Thread, name: string): void {
    const parts = new Map<string, Part>();
    this.#parts.set(thread, { name, parts });
    thread.port.on('message', (message: FrameField[] | ToHostControl) => {
      if (!Array.isArray(message) && message.type === 'database') this.#receive(thread, message);
    });
    thread.beforeEnd = () => this.#beforeEnd(thread);
    void thread.ended.then(() => this.#onEnded(thread));
  }

  /**
   * Sets how many connections this process may have, by database. Resolves when it has no more than that. Those of
   * processes that have ended are `inherited`, and part of the limits.
   */
  async setLimits(limits: Record<string, number>, inherited: Record<string, OpenConnections> = {}): Promise<void> {
    this.#limits = limits;
    for (const [name, { permits, ids }] of Object.entries(inherited)) {
      const { broker, orphans } = this.#state(name);
      broker.inherit(permits);
      orphans.add(ids, permits);
    }
    const all = [...this.#databases].map(([name, { broker }]) => broker.setLimit(limits[name] ?? 0));
    this.#watch();
    await Promise.all(all);
  }

  /** Whether a thread has a connection, or is about to. */
  holds(thread: Thread): boolean {
    return [...(this.#parts.get(thread)?.parts.values() ?? [])].some(({ holder }) => holder.held > 0);
  }

  /** By function, of those that have used a database. */
  figures(): Map<string, FunctionFigures> {
    const sums = new Map<string, FunctionFigures>();
    const add = (name: string, figures: DatabaseFigures, connections: number): void => {
      const sum = sums.get(name) ?? { ...noFigures(), connections: 0 };
      sums.set(name, { ...addUp(sum, figures), connections: sum.connections + connections });
    };
    for (const [name, figures] of this.#ended) add(name, figures, 0);
    for (const { name, parts } of this.#parts.values()) {
      for (const { figures, holder } of parts.values()) add(name, figures, holder.held);
    }
    return sums;
  }

  /** Permits that are out, and how many there are, by database. */
  use(): Record<string, { used: number; limit: number }> {
    return Object.fromEntries(
      [...this.#databases].map(([name, { broker }]) => [name, { used: broker.used, limit: broker.limit }]),
    );
  }

  #receive(thread: Thread, message: DatabaseToHost): void {
    const entry = this.#parts.get(thread);
    if (entry === undefined) return;
    const { broker, byHolder, orphans } = this.#state(message.name);
    let part = entry.parts.get(message.name);
    if (part === undefined) {
      part = { holder: broker.add(), ids: [], figures: message.figures, onEmpty: null };
      entry.parts.set(message.name, part);
      byHolder.set(part.holder, thread);
    }
    part.ids = message.ids;
    part.figures = message.figures;
    if (message.gone.length > 0) orphans.gone(message.gone);
    broker.update(part.holder, message);
    if (part.holder.held === 0) part.onEmpty?.();
    this.#report.soon();
    this.#watch();
  }

  /** Connections that a thread closes itself are gone when it ends: nobody has to ask the server. */
  #beforeEnd(thread: Thread): Promise<void> | null {
    const parts = [...(this.#parts.get(thread)?.parts ?? [])].filter(([, { holder }]) => holder.held > 0);
    if (parts.length === 0) return null;
    const empty = parts.map(async ([name, part]) => {
      this.#tell(name, part.holder, { ending: true });
      await new Promise<void>((resolve) => {
        part.onEmpty = resolve;
        setTimeout(resolve, databaseLimits.endingMs);
      });
    });
    return Promise.all(empty).then(() => {});
  }

  #onEnded(thread: Thread): void {
    const entry = this.#parts.get(thread);
    if (entry === undefined) return;
    this.#parts.delete(thread);
    for (const [database, { holder, ids, figures }] of entry.parts) {
      const { broker, byHolder, orphans } = this.#state(database);
      byHolder.delete(holder);
      this.#ended.set(entry.name, addUp(this.#ended.get(entry.name) ?? noFigures(), figures));
      const left = broker.remove(holder);
      if (left > 0) orphans.add(ids, left);
    }
    this.#report.soon();
    this.#watch();
  }

  #open(): Record<string, OpenConnections> {
    const open: Record<string, OpenConnections> = {};
    for (const [name, { broker, orphans }] of this.#databases) {
      open[name] = { permits: broker.used, ids: orphans.ids };
    }
    for (const { parts } of this.#parts.values()) {
      for (const [name, { ids }] of parts) open[name]!.ids.push(...ids);
    }
    return open;
  }

  #state(name: string): DatabaseState {
    const known = this.#databases.get(name);
    if (known !== undefined) return known;
    const byHolder = new Map<PermitHolder, Thread>();
    const broker = new PermitBroker({
      limit: this.#limits[name] ?? 0,
      onChange: (holder) => {
        this.#report.before(name, broker.used);
        this.#tell(name, holder);
      },
    });
    const orphans = new Orphans({
      broker,
      ask: (ids) => {
        // Whoever has a connection can ask the server.
        const able = [...byHolder.keys()].find((holder) => holder.held > 0);
        if (able === undefined) return null;
        this.#tell(name, able, { orphans: ids });
        return byHolder.get(able)!.ended;
      },
    });
    const state = { broker, orphans, byHolder };
    this.#databases.set(name, state);
    return state;
  }

  #tell(name: string, holder: PermitHolder, more: Partial<Pick<DatabaseToWorker, 'orphans' | 'ending'>> = {}): void {
    const state = this.#databases.get(name)!;
    const { granted, recall } = holder;
    const { used, limit } = state.broker;
    const thread = state.byHolder.get(holder);
    const now = { name, granted, recall, used, limit, orphans: [], ending: false };
    thread?.port.postMessage({ type: 'database', ...now, ...more } satisfies DatabaseToWorker);
  }

  /** Asks again while somebody waits. */
  #watch(): void {
    this.#timer ??= setInterval(() => {
      const waiting = [...this.#databases.values()].filter(({ broker, orphans }) => broker.needed > 0 || orphans.any);
      for (const { broker, orphans } of waiting) {
        orphans.tick();
        broker.tick();
      }
      if (waiting.length > 0 || this.#timer === null) return;
      clearInterval(this.#timer);
      this.#timer = null;
    }, databaseLimits.askEveryMs);
  }
}

function noFigures(): DatabaseFigures {
  return { queries: 0, rows: 0, waitMs: 0, queryMs: 0, busy: 0 };
}

function addUp(a: DatabaseFigures, b: DatabaseFigures): DatabaseFigures {
  return {
    queries: a.queries + b.queries,
    rows: a.rows + b.rows,
    waitMs: a.waitMs + b.waitMs,
    queryMs: a.queryMs + b.queryMs,
    busy: a.busy + b.busy,
  };
}
