import type { ActivateResult, HostStats, LoadResult } from '../contract/ipc.ts';
import { FnrunError } from '../contract/errors.ts';
import { workerLimits } from '../contract/limits.ts';
import type { LogRecord } from '../contract/log.ts';
import type { Thread, ThreadPool } from '../pool/thread-pool.ts';
import { bootCheck } from './boot-check.ts';
import type { FunctionSlot, SlotServices } from './function-slot.ts';
import { Generation, readManifest } from './generation.ts';
import type { GenerationSource } from './generation.ts';
import type { LogSink } from './log-sink.ts';

/** What an app host serves: the live generation, candidates beside it, old ones that drain. */
export interface HostApp {
  readonly live: Generation | null;
  readonly counters: { requests: number; failures: number };
  load(source: GenerationSource, options: { check: boolean; fresh: boolean }): Promise<LoadResult>;
  activate(release: string): Promise<ActivateResult>;
  discard(release: string): void;
  stats(): HostStats;
  log(record: Omit<LogRecord, 'time' | 'app'>): void;
}

/** What the app is made of. */
export interface HostAppOptions {
  app: string;
  pool: ThreadPool;
  sink: LogSink;
  now: () => Date;
}

interface Candidate {
  generation: Generation;
  /** No worker is carried over into it. */
  fresh: boolean;
}

/** Creates the app of a host process. */
export function createHostApp({ app, pool, sink, now }: HostAppOptions): HostApp {
  const counters = { requests: 0, failures: 0 };
  const candidates = new Map<string, Candidate>();
  const startedAt = performance.now();
  let live: Generation | null = null;

  const log = (record: Omit<LogRecord, 'time' | 'app'>): void => {
    sink.write({ time: now().toISOString(), app, ...record });
  };
  const services: SlotServices = {
    takeThread: (memoryMb) => takeThread(memoryMb),
    onLog(slot, line) {
      sink.countDropped(line.dropped);
      const base = { function: slot.fn.name, release: slot.release };
      if (line.dropped > 0) log({ level: 'warn', ...base, message: `${line.dropped} log lines were dropped` });
      log({
        level: line.level,
        ...base,
        ...(line.requestId !== null && { requestId: line.requestId }),
        message: line.message,
        ...(line.stack !== null && { stack: line.stack }),
        ...(line.fields !== null && { fields: line.fields }),
      });
    },
    note: (slot, level, message) => log({ level, function: slot.fn.name, release: slot.release, message }),
  };

  // At the cap, the least recently used idle worker gives way; the slot that asked is pumped when it has ended.
  const takeThread = (memoryMb: number): Thread | null => {
    const thread = pool.take(memoryMb);
    if (thread === null) reclaim();
    return thread;
  };
  const reclaim = (): void => {
    const idle = [...(live?.slots.values() ?? [])].flatMap((slot) =>
      slot.workers.filter((worker) => worker.state === 'ready' && worker.inFlight === 0),
    );
    const oldest = idle.sort((a, b) => a.idleSince - b.idleSince)[0];
    if (oldest === undefined) return;
    oldest.drain();
    void oldest.thread.ended.then(() => {
      for (const slot of live?.slots.values() ?? []) slot.pump();
    });
  };
  const trimmer = setInterval(() => {
    for (const slot of live?.slots.values() ?? []) slot.trim(workerLimits.idleMs);
  }, workerLimits.trimEveryMs);
  trimmer.unref();

  return {
    counters,
    log,
    get live() {
      return live;
    },
    async load(source, { check, fresh }) {
      const before = performance.now();
      const generation = new Generation(source, { manifest: await readManifest(source.releaseDir), services });
      const functions = check
        ? await bootCheck(generation.assignments(), { takeThread: () => takeThread(workerLimits.memoryMb) })
        : [];
      generation.inspected(functions);
      candidates.set(source.release, { generation, fresh });
      return { release: source.release, ms: performance.now() - before, functions };
    },
    async activate(release) {
      const before = performance.now();
      const candidate = candidates.get(release);
      if (candidate === undefined)
        throw new FnrunError('FN_NO_SUCH_RELEASE', `Release ${release} is not loaded in this host`);
      const { generation: next, fresh } = candidate;
      const old = live;
      const warm = await warmUp(next, fresh ? null : old, old);
      candidates.delete(release);
      // From here to the end nothing waits: no request sees half a switch.
      const carriedOver = old === null || fresh ? 0 : carryOver(next, old);
      live = next;
      if (old !== null) drain(old, next);
      return { release, warm: warm + carriedOver, carriedOver, ms: performance.now() - before };
    },
    discard(release) {
      const candidate = candidates.get(release);
      candidates.delete(release);
      for (const slot of candidate?.generation.slots.values() ?? []) slot.retire();
    },
    stats() {
      const slots = [...(live?.slots.values() ?? [])];
      return {
        release: live?.source.release ?? null,
        uptimeMs: Math.round(performance.now() - startedAt),
        rssBytes: process.memoryUsage.rss(),
        threads: pool.size,
        reserve: pool.idle,
        requests: counters.requests,
        failures: counters.failures,
        inFlight: slots.reduce((sum, slot) => sum + slot.inFlight, 0),
        queued: slots.reduce((sum, slot) => sum + slot.queued, 0),
        droppedLogLines: sink.dropped,
        functions: slots.map(statsOf),
      };
    },
  };
}

/** Starts as many workers as the old release has, unless they can be carried over. Throws when one does not load. */
async function warmUp(next: Generation, carrier: Generation | null, old: Generation | null): Promise<number> {
  const started = await Promise.all(
    next.manifest.functions.map((fn) => {
      const slot = next.slotOf(fn);
      const carried = carrier !== null && next.sameCode(fn, carrier) ? (carrier.slots.get(fn.name)?.carriable ?? 0) : 0;
      const wanted = Math.max(slot.settings.minWorkers, old?.slots.get(fn.name)?.readyCount ?? 0);
      return wanted > carried ? slot.warm(wanted - carried) : [];
    }),
  );
  const entries = started.flat();
  const failed = entries.find((entry) => entry.error !== null);
  if (failed === undefined) return entries.length;
  for (const slot of next.slots.values()) slot.retire();
  throw new FnrunError('FN_LOAD_FAILED', `The function ${failed.name} did not load: ${failed.error!.message}`);
}

function carryOver(next: Generation, old: Generation): number {
  let carried = 0;
  for (const fn of next.manifest.functions) {
    const before = old.slots.get(fn.name);
    if (before !== undefined && next.sameCode(fn, old)) carried += next.slotOf(fn).adopt(before);
  }
  return carried;
}

/** Old workers finish what they have; what waits for one goes to the new release. */
function drain(old: Generation, next: Generation): void {
  for (const [name, slot] of old.slots) {
    const jobs = slot.retire();
    const heir = next.slots.get(name);
    for (const job of jobs) {
      if (heir === undefined) job.reject('FN_NOT_FOUND', 'The function was removed by a deployment');
      else heir.dispatch(job);
    }
  }
}

function statsOf(slot: FunctionSlot): HostStats['functions'][number] {
  return {
    name: slot.fn.name,
    route: slot.fn.route,
    workers: slot.workers.length,
    inFlight: slot.inFlight,
    queued: slot.queued,
    requests: slot.requests,
    failures: slot.failures,
  };
}
