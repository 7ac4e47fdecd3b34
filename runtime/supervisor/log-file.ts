import { appendFile, mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { logLimits } from '../contract/limits.ts';
import type { LogRecord } from '../contract/log.ts';
import { readTail } from './log-tail.ts';

/** What to read of a log. */
export interface LogQuery {
  /** Records from the end, at most. */
  lines: number;
  /** Goes on with new records until `signal` aborts. */
  follow: boolean;
  matches: (record: LogRecord) => boolean;
  signal: AbortSignal;
}

/** Bounds that tests make smaller. */
export interface LogFileLimits {
  fileBytes: number;
  filesKept: number;
  pendingBytes: number;
  followLines: number;
}

interface Follower {
  queue: LogRecord[];
  dropped: number;
  wake: () => void;
}

/**
 * One app's log: NDJSON in `<path>`, turned over to `<path>.1`, `<path>.2` when it is full.
 * Writing never waits: what the disk does not take in time is dropped and counted.
 */
export class LogFile {
  readonly #path: string;
  readonly #app: string;
  readonly #limits: LogFileLimits;
  readonly #followers = new Set<Follower>();
  #pending: LogRecord[] = [];
  #pendingBytes = 0;
  #dropped = 0;
  #fileBytes = 0;
  #closed = false;
  /** Everything that touches the files, one after the other. */
  #work: Promise<void>;

  constructor({ path, app, limits = logLimits }: { path: string; app: string; limits?: LogFileLimits }) {
    this.#path = path;
    this.#app = app;
    this.#limits = limits;
    this.#work = this.#open();
  }

  /** Queues one record. */
  write(record: LogRecord): void {
    if (this.#closed) return;
    const bytes = 200 + record.message.length + (record.stack?.length ?? 0);
    if (this.#pendingBytes + bytes > this.#limits.pendingBytes) {
      this.#dropped += 1;
      return;
    }
    this.#pendingBytes += bytes;
    this.#pending.push(record);
    if (this.#pending.length === 1) this.#enqueue(() => this.#flush());
  }

  /** The newest matching records, oldest first, then new ones as they are written. */
  async *read(query: LogQuery): AsyncGenerator<LogRecord, void> {
    const wake = Promise.withResolvers<void>();
    const follower: Follower = { queue: [], dropped: 0, wake: wake.resolve };
    // Joins the followers between two flushes, at the very point where the tail ends: no gap, nothing twice.
    const { promise: tail, resolve, reject } = Promise.withResolvers<LogRecord[]>();
    this.#enqueue(async () => {
      if (query.follow) this.#followers.add(follower);
      await readTail(this.#files(), query).then(resolve, reject);
    });
    try {
      yield* await tail;
      if (query.follow) yield* this.#follow(follower, { ...query, first: wake.promise });
    } finally {
      this.#followers.delete(follower);
    }
  }

  /** Writes what is queued and ends all followers. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#work;
    for (const follower of this.#followers) follower.wake();
  }

  async *#follow(follower: Follower, query: LogQuery & { first: Promise<void> }): AsyncGenerator<LogRecord, void> {
    let woken = query.first;
    const onAbort = (): void => follower.wake();
    query.signal.addEventListener('abort', onAbort);
    try {
      while (!query.signal.aborted) {
        yield* follower.queue.splice(0).filter(query.matches);
        if (follower.dropped > 0) yield this.#droppedRecord(follower.dropped, 'this reader is too slow');
        follower.dropped = 0;
        if (this.#closed) return;
        await woken;
        const next = Promise.withResolvers<void>();
        woken = next.promise;
        follower.wake = next.resolve;
        if (follower.queue.length > 0) next.resolve();
      }
    } finally {
      query.signal.removeEventListener('abort', onAbort);
    }
  }

  async #open(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    const found = await stat(this.#path).catch(() => null);
    this.#fileBytes = found?.size ?? 0;
  }

  #enqueue(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch(() => {
      // The disk is full or the folder is gone: records are lost, serving goes on.
    });
  }

  async #flush(): Promise<void> {
    const records = this.#pending;
    if (this.#dropped > 0) records.push(this.#droppedRecord(this.#dropped, 'the disk does not keep up'));
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#dropped = 0;
    const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
    try {
      await appendFile(this.#path, text, { mode: 0o640 });
      this.#fileBytes += Buffer.byteLength(text);
      if (this.#fileBytes >= this.#limits.fileBytes) await this.#turnOver();
    } finally {
      for (const follower of this.#followers) this.#hand(records, follower);
    }
  }

  #hand(records: readonly LogRecord[], follower: Follower): void {
    for (const record of records) {
      if (follower.queue.length < this.#limits.followLines) follower.queue.push(record);
      else follower.dropped += 1;
    }
    follower.wake();
  }

  async #turnOver(): Promise<void> {
    const files = this.#files();
    for (let index = files.length - 1; index > 0; index -= 1) {
      await rename(files[index - 1] as string, files[index] as string).catch(() => {});
    }
    this.#fileBytes = 0;
  }

  /** Newest first. */
  #files(): string[] {
    return Array.from({ length: this.#limits.filesKept }, (_, n) => (n === 0 ? this.#path : `${this.#path}.${n}`));
  }

  #droppedRecord(count: number, why: string): LogRecord {
    const message = `${count} log lines dropped: ${why}`;
    return { time: new Date().toISOString(), level: 'warn', app: this.#app, message };
  }
}
