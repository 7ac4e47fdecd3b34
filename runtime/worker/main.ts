/**
 * What runs in a worker thread: one long piscina task that waits for a function to serve.
 * Only contract and channel are imported beside the worker's own files: a thread must be
 * ready in milliseconds.
 */
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { threadId } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { BootCheckError } from '../contract/ipc.ts';
import type { Assignment, FrameField, ToHostControl, ToWorkerControl } from '../channel/frames.ts';
import { toWorker } from '../channel/frames.ts';
import { Outbox } from '../channel/outbox.ts';
import { invocationLimits } from '../contract/limits.ts';
import { ExportsError, readExports } from './exports.ts';
import { installFetch } from './fetch/install.ts';
import { native, nativeIfLoaded, onNative } from './fetch/native.ts';
import { currentInvocation } from './invocation.ts';
import { captureConsole, LogChannel } from './logs.ts';
import { WorkerDatabases } from './mysql.ts';
import { rehearse } from './rehearse.ts';
import { FunctionServer } from './serve.ts';
import { describeError } from './stack.ts';

/** What the host passes with the task. */
export interface WorkerTask {
  port: MessagePort;
  /** Functions of this app use more of fetch than the replacements give: it is loaded while there is time. */
  preloadFetch: boolean;
}

/** The task: never settles; the host ends it by ending the thread. */
export default function serve({ port, preloadFetch }: WorkerTask): Promise<never> {
  const outbox = new Outbox(port, { answersMax: invocationLimits.answersMax });
  const logs = new LogChannel(outbox);
  captureConsole(logs);
  let server: FunctionServer | null = null;

  const control = (message: ToHostControl): void => {
    outbox.flush();
    port.postMessage(message);
  };
  const databases = new WorkerDatabases({ control, logs });
  const start = async (assignment: Assignment): Promise<void> => {
    const before = performance.now();
    setEnv(assignment.env);
    databases.provide(assignment);
    logs.releaseDir = assignment.releaseDir;
    try {
      const module = await load(assignment);
      server = new FunctionServer({ assignment, module, outbox, logs });
      const ms = performance.now() - before;
      control({ type: 'loaded', name: assignment.name, ms, inspection: server.inspection, error: null });
    } catch (error) {
      const ms = performance.now() - before;
      control({ type: 'loaded', name: assignment.name, ms, inspection: null, error: loadError(error, assignment) });
    }
  };
  // A thread in the reserve has the time; one that is needed at once does it with its function.
  let parked = true;
  setImmediate(() => {
    installFetch();
    if (preloadFetch && parked) native();
    void rehearse(() => parked);
  });
  port.postMessage({ type: 'thread', tid: kernelThreadId(), threadId } satisfies ToHostControl);
  port.on('message', (message: FrameField[] | ToWorkerControl) => {
    parked = false;
    if (Array.isArray(message)) {
      if (server !== null) server.receive(message);
      else if (message[0] === toWorker.logAck) logs.acknowledge(message[1] as number);
    } else if (message.type === 'serve') {
      if (nativeIfLoaded() === null) onNative(() => control({ type: 'fetch' }));
      void start(message.assignment);
    } else if (message.type === 'check') {
      void check(message.assignments, { control, databases });
    } else if (message.type === 'database') {
      databases.receive(message);
    } else if (server !== null) {
      server.identity.release = message.release;
    }
  });

  const onUncaught = (error: unknown): void => {
    const invocation = currentInvocation.getStore();
    if (server !== null) server.uncaught(error, invocation);
    control({ type: 'faulty', message: error instanceof Error ? error.message : String(error) });
  };
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
  return new Promise<never>(() => {});
}

/** Loads each module in turn, as `serve` would, and reports what it exports or why it does not load. */
async function check(
  assignments: Assignment[],
  { control, databases }: { control: (message: ToHostControl) => void; databases: WorkerDatabases },
): Promise<void> {
  for (const assignment of assignments) {
    const before = performance.now();
    setEnv(assignment.env);
    databases.provide(assignment);
    let inspection: unknown = null;
    let error: BootCheckError | null = null;
    try {
      const module = await load(assignment);
      const { settings, defaults, commonjs } = assignment;
      inspection = readExports(module, { settings, defaults, commonjs }).inspection;
    } catch (thrown) {
      error = loadError(thrown, assignment);
    }
    control({ type: 'loaded', name: assignment.name, ms: performance.now() - before, inspection, error });
  }
}

async function load(assignment: Assignment): Promise<Record<string, unknown>> {
  installFetch();
  const url = pathToFileURL(join(assignment.releaseDir, assignment.bundle)).href;
  return (await import(url)) as Record<string, unknown>;
}

/** Linux only; the host reads from it whether a silent thread ran at all. */
function kernelThreadId(): number | null {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    return null;
  }
}

/** With what a thread begins: HOME, TMPDIR and the like of an app that has a user of its own, else nothing. */
const ofUser = { ...process.env };

function setEnv(own: Record<string, string>): void {
  const env = { ...ofUser, ...own };
  for (const key of Object.keys(process.env)) if (!(key in env)) delete process.env[key];
  Object.assign(process.env, env);
}

function loadError(thrown: unknown, assignment: Assignment): BootCheckError {
  if (thrown instanceof ExportsError) {
    const place = { file: null, line: null, column: null };
    return { code: thrown.code, message: thrown.message, stack: null, ...place };
  }
  const { message, stack, place } = describeError(thrown, assignment.releaseDir);
  const at = { file: place?.file ?? null, line: place?.line ?? null, column: place?.column ?? null };
  return { code: 'FN_LOAD_FAILED', message, stack, ...at };
}
