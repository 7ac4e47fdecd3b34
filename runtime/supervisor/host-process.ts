import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { FnrunError } from '../contract/errors.ts';
import type { ErrorCode } from '../contract/errors.ts';
import type { FromHost, ToHost } from '../contract/ipc.ts';
import { hostLimits } from '../contract/limits.ts';
import type { LogRecord } from '../contract/log.ts';
import { entryPoint } from '../entry-points.ts';
import { readHostLines, readLogRecords } from './host-output.ts';

type Request = Exclude<ToHost, { type: 'connection' }>;
type WithoutId<T> = T extends { id: number } ? Omit<T, 'id'> : never;

/** What a host process is started with. */
export interface HostProcessOptions {
  app: string;
  dev: boolean;
  onLog: (record: LogRecord) => void;
  execArgv: readonly string[];
}

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

/** Position of the log pipe among the child's file descriptors (3 is the IPC channel). */
const logFd = 4;

/** One running app host process. */
export class HostProcess {
  /** Resolves when the process answers. Rejects with `FN_HOST_FAILED`. */
  readonly started: Promise<void>;
  /** Resolves with the reason when the process is gone. */
  readonly exited: Promise<string>;
  readonly #options: HostProcessOptions;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #passing = new Map<number, Socket>();
  #nextId = 1;
  #lastWords = '';

  constructor(options: HostProcessOptions) {
    const { app, dev } = options;
    this.#options = options;
    this.#child = fork(entryPoint('runtime/host/main.js'), [JSON.stringify({ app, dev, logFd })], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
      serialization: 'json',
      // Else the pages of ended threads stay with the process: 32 came and went, and 320 MB were still resident; now 77.
      execArgv: [
        `--max-semi-space-size=${hostLimits.semiSpaceMb}`,
        '--no-memory-pool-share-memory-on-teardown',
        ...options.execArgv,
      ],
      env: hostEnv(),
    });
    this.#readOutput();
    const exited = Promise.withResolvers<string>();
    this.exited = exited.promise;
    this.started = this.#awaitStart();
    // Whoever does not wait for the start hears of its failure by `exited`.
    this.started.catch(() => {});
    this.#child.on('exit', (code, signal) => {
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      const reason = this.#lastWords === '' ? how : `${how}: ${this.#lastWords}`;
      this.#rejectAll(`the app host of ${app} ended (${reason})`);
      exited.resolve(reason);
    });
    this.#child.on('error', (error) => this.#rejectAll(`the app host of ${app} failed: ${error.message}`));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Sends a request and waits for its reply. Rejects when the host says so, dies, or the deadline passes. */
  request(message: WithoutId<Request>, { deadlineMs }: { deadlineMs: number }): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        const text = `the app host of ${this.#options.app} did not answer "${message.type}" within ${deadlineMs} ms`;
        reject(new FnrunError('FN_HOST_FAILED', text));
      }, deadlineMs);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#send({ ...message, id });
    });
  }

  /** Hands a connection over. Our end stays open until the host says that it has it. */
  pass(socket: Socket): void {
    const id = this.#nextId++;
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

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #send(message: ToHost): void {
    // A channel that is closed is followed by 'exit', which rejects what waits.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #awaitStart(): Promise<void> {
    const { app } = this.#options;
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new FnrunError('FN_HOST_FAILED', `the app host of ${app} ${why}`));
      const timer = setTimeout(() => {
        fail(`did not start within ${hostLimits.startMs} ms`);
        this.kill();
      }, hostLimits.startMs);
      this.#child.on('message', (message: FromHost) => {
        if (message.type === 'reply') this.#onReply(message);
        else if (message.type === 'accepted') this.#onAccepted(message.id);
        else {
          clearTimeout(timer);
          resolve();
        }
      });
      this.#child.once('error', (error) => fail(`cannot be started: ${error.message}`));
      this.#child.once('exit', (code, signal) => {
        clearTimeout(timer);
        fail(`ended while it started (${signal ?? `exit code ${code}`}) ${this.#lastWords}`.trimEnd());
      });
    });
  }

  #onReply(message: Extract<FromHost, { type: 'reply' }>): void {
    const entry = this.#waiting.get(message.id);
    if (entry === undefined) return;
    this.#waiting.delete(message.id);
    clearTimeout(entry.timer);
    if (message.ok) entry.resolve(message.result);
    else entry.reject(new FnrunError(message.code as ErrorCode, message.message));
  }

  #onAccepted(id: number): void {
    this.#passing.get(id)?.destroy();
    this.#passing.delete(id);
  }

  #rejectAll(text: string): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new FnrunError('FN_HOST_FAILED', text));
    }
    this.#waiting.clear();
  }

  /** Native code and V8 itself write to the standard streams; what came last tells why a host died. */
  #readOutput(): void {
    const { app, onLog } = this.#options;
    const note = (level: LogRecord['level'], message: string): void => {
      onLog({ time: new Date().toISOString(), level, app, message });
    };
    readLogRecords(this.#child.stdio[logFd] as Readable, {
      onLog,
      onCut: (line) => note('warn', `log line cut off: ${line}`),
    });
    readHostLines(this.#child.stdout!, (line) => note('info', line));
    readHostLines(this.#child.stderr!, (line) => {
      if (this.#lastWords === '' || /fatal|error/i.test(line)) this.#lastWords = line.trim().slice(0, 200);
      note('error', line);
    });
  }
}

/** A host needs none of the daemon's environment, which may hold the operator's secrets. */
function hostEnv(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const key of ['PATH', 'TZ', 'LANG', 'NODE_EXTRA_CA_CERTS']) {
    if (process.env[key] !== undefined) env[key] = process.env[key];
  }
  return env;
}
