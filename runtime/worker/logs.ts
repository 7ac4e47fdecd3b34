import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { logLimits } from '../contract/limits.ts';
import type { LogRecord } from '../contract/log.ts';
import { toHost } from '../channel/frames.ts';
import type { Outbox } from '../channel/outbox.ts';
import { currentInvocation } from './invocation.ts';
import { mapStack } from './stack.ts';

/** Beside a message: which request, and what a line carries further. */
export interface LogExtra {
  requestId?: string | undefined;
  stack?: string | null;
  fields?: Record<string, unknown>;
}

/** Sends log lines to the host, no more than it has taken: further ones are counted and dropped. */
export class LogChannel {
  readonly #outbox: Outbox;
  /** The folder of the bundles, once there is one: stacks that name it are told in terms of the sources. */
  releaseDir: string | null = null;
  #pending = 0;
  #dropped = 0;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  write(level: LogRecord['level'], message: string, extra: LogExtra = {}): void {
    if (this.#pending >= logLimits.pendingLines) {
      this.#dropped++;
      return;
    }
    this.#pending++;
    const requestId = extra.requestId ?? currentInvocation.getStore()?.requestId ?? null;
    const fields = extra.fields === undefined ? null : plainFields(extra.fields);
    this.#outbox.push(toHost.log, level, requestId, cut(message), extra.stack ?? null, fields, this.#dropped);
    this.#dropped = 0;
  }

  /** Console output as it is logged: a printed error shows the user's files and lines. */
  inSources(text: string): string {
    const { releaseDir } = this;
    if (releaseDir === null || !text.includes('\n    at ') || !text.includes(releaseDir)) return text;
    return mapStack(text, releaseDir).stack;
  }

  /** The host took `lines` lines. */
  acknowledge(lines: number): void {
    this.#pending -= lines;
    // The count goes with the next line; after a flood there may be none.
    if (this.#pending <= 0 && this.#dropped > 0) this.write('warn', 'the function logs faster than its log is taken');
  }
}

function cut(message: string): string {
  if (message.length <= logLimits.messageBytes) return message;
  return `${message.slice(0, logLimits.messageBytes)}… (cut: ${message.length} characters)`;
}

// Fields cross threads as JSON would carry them: no functions, no cycles, errors by message.
function plainFields(fields: Record<string, unknown>): Record<string, unknown> {
  try {
    const text = JSON.stringify(fields, (_key, value: unknown) => {
      if (typeof value === 'bigint') return value.toString();
      return value instanceof Error ? { name: value.name, message: value.message, stack: value.stack } : value;
    });
    if (text.length <= logLimits.messageBytes) return JSON.parse(text) as Record<string, unknown>;
    return { note: `fields left out: ${text.length} characters` };
  } catch (error) {
    return { note: `fields left out: ${String(error)}` };
  }
}

/** Makes `console` and the standard streams of this thread write log lines. */
export function captureConsole(logs: LogChannel): void {
  let level: LogRecord['level'] | null = null;
  const stream = (fallback: LogRecord['level']): Writable =>
    new Writable({
      decodeStrings: false,
      write(chunk: string | Buffer, _encoding, done) {
        const text = chunk.toString();
        logs.write(level ?? fallback, logs.inSources(text.endsWith('\n') ? text.slice(0, -1) : text));
        done();
      },
    });
  const stdout = stream('info');
  const stderr = stream('error');
  const inner = new Console({ stdout, stderr });
  const levels = { debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error', trace: 'error' } as const;
  for (const [name, own] of Object.entries(levels) as [keyof typeof levels, LogRecord['level']][]) {
    const write = inner[name].bind(inner) as (...args: unknown[]) => void;
    inner[name] = (...args: unknown[]): void => {
      level = own;
      try {
        write(...args);
      } finally {
        level = null;
      }
    };
  }
  Object.defineProperty(globalThis, 'console', { configurable: true, writable: true, value: inner });
  Object.defineProperty(process, 'stdout', { configurable: true, get: () => stdout });
  Object.defineProperty(process, 'stderr', { configurable: true, get: () => stderr });
}
