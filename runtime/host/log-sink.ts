import { Socket } from 'node:net';
import { logLimits } from '../contract/limits.ts';
import type { LogRecord } from '../contract/log.ts';

/** Writes log records to the daemon, one JSON line each, and never waits for it. */
export interface LogSink {
  write(record: LogRecord): void;
  /** Lines dropped since the start: in workers (told by them) and here. */
  readonly dropped: number;
  countDropped(lines: number): void;
}

/**
 * A sink on a pipe. Not process.stdout: Node writes that synchronously to a pipe, and a
 * daemon that does not read would stop the host's main thread.
 */
export function createLogSink(fd: number): LogSink {
  const pipe = new Socket({ fd, readable: false, writable: true });
  // The daemon has gone: the host ends by its IPC channel; until then there is nowhere to write.
  pipe.on('error', () => {});
  let dropped = 0;
  let missing = 0;
  return {
    write(record) {
      if (pipe.writableLength > logLimits.pendingBytes) {
        dropped++;
        missing++;
        return;
      }
      if (missing > 0) {
        const note: LogRecord = {
          time: record.time,
          level: 'warn',
          app: record.app,
          message: `${missing} log lines were dropped`,
        };
        pipe.write(`${JSON.stringify(note)}\n`);
        missing = 0;
      }
      pipe.write(`${JSON.stringify(record)}\n`);
    },
    get dropped() {
      return dropped;
    },
    countDropped(lines) {
      dropped += lines;
    },
  };
}
