import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { benchLimits } from '../../runtime/contract/limits.ts';
import type { Generator } from './generator.ts';
import type { LoadOrder, LoadResult } from './load/messages.ts';
import { holds, type BenchStep, type Bound } from './step.ts';
import type { AppCpu, BenchTarget } from './target.ts';

export interface MeasureOptions {
  target: BenchTarget;
  generator: Generator;
  connections: number;
  durationMs: number;
  signal: AbortSignal;
}

/** Offers one rate and reads what the machine did meanwhile. */
export async function measureStep(rate: number, options: MeasureOptions & { bound: Bound }): Promise<BenchStep> {
  const { durationMs } = options;
  const order = orderOf(options, { rate, connections: options.connections, durationMs });
  const offering = offer(order, options);
  const use = readUse(order, options);
  const [result, { cpu, figures }] = await Promise.all([offering, use]);
  const { outcomes, latency, lag, utilization, mostWaiting } = result;
  const errors = Object.entries(outcomes).reduce((sum, [name, count]) => sum + (Number(name) < 400 ? 0 : count), 0);
  const step = {
    rate,
    achieved: result.good / (durationMs / 1000),
    p50: latency.percentile(50) / 1000,
    p99: latency.percentile(99) / 1000,
    p999: latency.percentile(99.9) / 1000,
    requests: result.offered,
    errors,
    outcomes,
    cpu,
    generator: { utilization, lagP99: lag.count === 0 ? 0 : lag.percentile(99) / 1000 },
    mostWaiting,
    figures,
  };
  return { ...step, holds: holds(step, options.bound) };
}

/** As many requests as `connections` can have answered, one at a time each. */
export async function measurePeak(options: MeasureOptions): Promise<LoadResult & { rate: number }> {
  const { durationMs } = options;
  const order = orderOf(options, { rate: null, connections: options.connections, durationMs });
  const result = await offer(order, options);
  return { ...result, rate: result.good / (durationMs / 1000) };
}

async function offer(
  order: LoadOrder,
  { generator, signal }: Pick<MeasureOptions, 'generator' | 'signal'>,
): Promise<LoadResult> {
  return await generator.offer(order, { signal });
}

function orderOf(
  { target }: Pick<MeasureOptions, 'target'>,
  { rate, connections, durationMs }: { rate: number | null; connections: number; durationMs: number },
): LoadOrder {
  const { address, method, request } = target;
  return {
    address,
    method,
    request,
    requestsPerSecond: rate,
    warmUpMs: durationMs * benchLimits.warmUpShare,
    durationMs,
    connections,
    timeoutMs: benchLimits.timeoutMs,
    waitingMax: Math.max(benchLimits.backlogMin, (rate ?? 0) * benchLimits.backlogSeconds),
  };
}

/** CPU over the middle of the measured time, and the function's figures near its end. */
async function readUse(
  { warmUpMs, durationMs }: LoadOrder,
  { target, signal }: MeasureOptions,
): Promise<Pick<BenchStep, 'cpu' | 'figures'>> {
  await delay(warmUpMs + durationMs * 0.2, undefined, { signal });
  const before = readCpu(target);
  await delay(durationMs * 0.6, undefined, { signal });
  const after = readCpu(target);
  const figures = await target.figures();
  const elapsedMs = after.atMs - before.atMs;
  const cores = (ms: number): number => ms / elapsedMs;
  const threads = threadsBetween(before.app, after.app).map(({ id, ms }) => ({ id, cores: cores(ms) }));
  const main = threads.find(({ id }) => id === after.app?.mainThread);
  const others = threads.filter((one) => one !== main).map((one) => one.cores);
  const cpu = {
    app: before.app === null || after.app === null ? null : cores(after.app.totalMs - before.app.totalMs),
    mainThread: main?.cores ?? null,
    busiestThread: others.length === 0 ? null : Math.max(...others),
    load: cores(after.loadMs - before.loadMs),
    machine: cores(after.machineMs - before.machineMs),
    cores: cpus().length,
  };
  return { cpu, figures };
}

function readCpu(target: BenchTarget) {
  const { user, system } = process.cpuUsage();
  const machineMs = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  return { atMs: performance.now(), app: target.cpu(), loadMs: (user + system) / 1000, machineMs };
}

function threadsBetween(before: AppCpu | null, after: AppCpu | null): { id: number; ms: number }[] {
  if (before?.threadsMs == null || after?.threadsMs == null) return [];
  const { threadsMs } = before;
  return [...after.threadsMs].map(([id, ms]) => ({ id, ms: ms - (threadsMs.get(id) ?? 0) }));
}
