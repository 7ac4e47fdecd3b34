import { Socket } from 'node:net';
import { appLimits, logLimits } from '../contract/limits.ts';
import type { LogRecord } from '../contract/log.ts';
import { TokenBucket } from './token-bucket.ts';

/** Writes log records to the daemon, one JSON line each, and never waits for it. */
export interface LogSink {
  write(record: LogRecord): void;
  /** Lines a second over the long run from now on. */
  setRate(linesPerSecond: number): void;
  /** Lines dropped since the start: in workers (told by them) and here. */
  readonly dropped: number;
  countDropped(lines: number): void;
}

/** What a sink is made of. */
export interface LogSinkOptions {
  /** The pipe's file descriptor. */
  fd: number;
  app: string;
  linesPerSecond: number;
  now: () => Date;
}

/**
 * A sink on a pipe. Not process.stdout: Node writes that synchronously to a pipe, and a
 * daemon that does not read would stop the host's main thread.
 */
export function createLogSink({ fd, app, linesPerSecond, now }: LogSinkOptions): LogSink {
  const pipe = new Socket({ fd, readable: false, writable: true });
  // The daemon has gone: the host ends by its IPC channel; until then there is nowhere to write.
  pipe.on('error', () => {});
  const bucket = new TokenBucket(linesPerSecond, { burstSeconds: appLimits.logBurstSeconds });
  let dropped = 0;
  const missing = { slow: 0, rate: 0 };
  let noteTimer: NodeJS.Timeout | null = null;

  const note = (): void => {
    noteTimer = null;
    const { slow, rate } = missing;
    missing.slow = 0;
    missing.rate = 0;
    const why = [
      ...(rate > 0 ? [`${rate} over limits.logLinesPerSecond (${bucket.perSecond})`] : []),
      ...(slow > 0 ? [`${slow} because the server does not keep up`] : []),
    ];
    const message = `${rate + slow} log lines were dropped: ${why.join(', ')}`;
    pipe.write(`${JSON.stringify({ time: now().toISOString(), level: 'warn', app, message } satisfies LogRecord)}\n`);
  };
  const drop = (why: keyof typeof missing): void => {
    dropped++;
    missing[why]++;
    // Told once a second however many they are, and also when nothing is logged afterwards.
    noteTimer ??= setTimeout(note, appLimits.logDropNoteMs).unref();
  };
  return {
    write(record) {
      // What fnrun says about the app is rare and must not drown in what the app says.
      const own = record.function === undefined && record.access === undefined;
      if (!own && !bucket.take(performance.now())) drop('rate');
      else if (pipe.writableLength > logLimits.pendingBytes) drop('slow');
      else pipe.write(`${JSON.stringify(record)}\n`);
    },
    setRate: (perSecond) => {
      bucket.perSecond = perSecond;
    },
    get dropped() {
      return dropped;
    },
    countDropped(lines) {
      dropped += lines;
    },
  };
}
