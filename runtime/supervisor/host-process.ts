import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { FnrunError } from '../contract/errors.ts';
import type { ErrorCode } from '../contract/errors.ts';
import type { FromHost, ToHost } from '../contract/ipc.ts';
import { hostLimits } from '../contract/limits.ts';
import type { LogRecord } from '../contract/log.ts';
import { entryPoint } from '../entry-points.ts';

type Request = Exclude<ToHost, { type: 'connection' }>;
type WithoutId<T> = T extends { id: number } ? Omit<T, 'id'> : never;

/** One running app host process. */
export interface HostProcess {
  readonly pid: number;
  /** Resolves when the process answers. Rejects with `FN_HOST_FAILED`. */
  readonly started: Promise<void>;
  /** Resolves with the reason when the process is gone. */
  readonly exited: Promise<string>;
  /** Sends a request and waits for its reply. Rejects when the host says so, dies, or the deadline passes. */
  request(message: WithoutId<Request>, options: { deadlineMs: number }): Promise<unknown>;
  pass(socket: Socket): void;
  kill(): void;
}

/** What a host process is started with. */
export interface HostProcessOptions {
  app: string;
  dev: boolean;
  onLog: (record: LogRecord) => void;
}

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

/** Position of the log pipe among the child's file descriptors (3 is the IPC channel). */
const logFd = 4;

/** Starts an app host. */
export function startHostProcess({ app, dev, onLog }: HostProcessOptions): HostProcess {
  const child = fork(entryPoint('runtime/host/main'), [JSON.stringify({ app, dev, logFd })], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
    serialization: 'json',
    execArgv: [`--max-semi-space-size=${hostLimits.semiSpaceMb}`],
    env: hostEnv(),
  });
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let lastWords = '';
  const note = (level: LogRecord['level'], message: string): void => {
    onLog({ time: new Date().toISOString(), level, app, message });
  };
  readLogs(child.stdio[logFd] as Readable, { onLog, note });
  // Native code and V8 itself write here; what came last tells why a host died.
  readLines(child.stdout!, (line) => note('info', line));
  readLines(child.stderr!, (line) => {
    if (lastWords === '' || /fatal|error/i.test(line)) lastWords = line.trim().slice(0, 200);
    note('error', line);
  });

  const started = Promise.withResolvers<void>();
  const exited = Promise.withResolvers<string>();
  const startTimer = setTimeout(() => {
    fail(`the app host of ${app} did not start within ${hostLimits.startMs} ms`);
    child.kill('SIGKILL');
  }, hostLimits.startMs);
  const fail = (message: string): void => {
    clearTimeout(startTimer);
    const error = new FnrunError('FN_HOST_FAILED', message);
    started.reject(error);
    for (const { reject, timer } of waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    waiting.clear();
  };
  // Whoever does not wait for the start hears of its failure by `exited`.
  started.promise.catch(() => {});
  child.on('message', (message: FromHost) => {
    if (message.type === 'started') {
      clearTimeout(startTimer);
      started.resolve();
      return;
    }
    const entry = waiting.get(message.id);
    if (entry === undefined) return;
    waiting.delete(message.id);
    clearTimeout(entry.timer);
    if (message.ok) entry.resolve(message.result);
    else entry.reject(new FnrunError(message.code as ErrorCode, message.message));
  });
  child.on('error', (error) => fail(`the app host of ${app} cannot be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
    const reason = lastWords === '' ? how : `${how}: ${lastWords}`;
    fail(`the app host of ${app} ended (${reason})`);
    exited.resolve(reason);
  });

  return {
    pid: child.pid ?? 0,
    started: started.promise,
    exited: exited.promise,
    request(message, { deadlineMs }) {
      const id = nextId++;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(id);
          reject(
            new FnrunError(
              'FN_HOST_FAILED',
              `the app host of ${app} did not answer "${message.type}" within ${deadlineMs} ms`,
            ),
          );
        }, deadlineMs);
        waiting.set(id, { resolve, reject, timer });
        sendTo(child, { ...message, id } as ToHost);
      });
    },
    pass(socket) {
      // keepOpen false: the parent's handle is closed once the child has it.
      if (child.connected) child.send({ type: 'connection' } satisfies ToHost, socket, {}, () => {});
      else socket.destroy();
    },
    kill() {
      child.kill('SIGKILL');
    },
  };
}

function sendTo(child: ChildProcess, message: ToHost): void {
  // A channel that is closed is followed by 'exit', which rejects what waits.
  if (child.connected) child.send(message, () => {});
}

/** A host needs none of the daemon's environment, which may hold the operator's secrets. */
function hostEnv(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const key of ['PATH', 'TZ', 'LANG', 'NODE_EXTRA_CA_CERTS']) {
    if (process.env[key] !== undefined) env[key] = process.env[key];
  }
  return env;
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
    if (line.trim() !== '') onLine(line);
  });
}

function readLogs(
  stream: Readable,
  { onLog, note }: { onLog: (record: LogRecord) => void; note: (level: LogRecord['level'], message: string) => void },
): void {
  readLines(stream, (line) => {
    let record: LogRecord;
    try {
      record = JSON.parse(line) as LogRecord;
    } catch {
      // A host that was killed in the middle of a line.
      note('warn', `log line cut off: ${line.slice(0, 200)}`);
      return;
    }
    onLog(record);
  });
}
