import { fetchFrom, targetOf, type HttpRequest } from '../support/http.ts';
import { wrk, type WrkOptions } from './load/wrk.ts';
import { median, round } from './measure.ts';
import { cpuTimeMs } from './processes.ts';
import { own, type BenchContext, type Target } from './report.ts';
import type { BenchServer } from './server.ts';

/** A side of a comparison, ready to be started. */
export interface Contestant {
  name: string;
  start: () => Promise<BenchServer>;
  /** Whose CPU time counts. @default the server's own process family */
  pids?: (server: BenchServer) => readonly number[];
  load?: Partial<WrkOptions>;
  /** Under load before the first round, until its code is compiled. @default 2, or `seconds` when that is less */
  warmUpSeconds?: number;
}

/** What is compared. */
export interface Comparison {
  case: string;
  sides: readonly Contestant[];
  load: Omit<WrkOptions, 'seconds'>;
  /** Under load, of each side and round, unless the user says otherwise. */
  seconds: number;
  /** Every side must answer this with 200 and `expected` before it is measured. */
  request: HttpRequest;
  expected: string | Buffer;
  /** By the name of the peer; of the ratios fnrun / peer. */
  targets?: Record<string, { throughput?: Target; cpu?: Target }>;
}

/** What the rounds of one side gave. */
export interface Measured {
  name: string;
  rps: number[];
  cpuUs: number[];
  failures: number;
}

interface Running extends Contestant, Measured {
  server: BenchServer;
}

/** Measures all sides and reports throughput and CPU per request of each, and fnrun's ratio to each peer. */
export async function compare(comparison: Comparison, context: BenchContext): Promise<void> {
  reportAll(comparison, await measureSides(comparison, context), context);
}

/**
 * Throughput and CPU per request of all sides: started together, each warmed, then every round puts each of them
 * under load for the same time, a different one first each time.
 */
export async function measureSides(comparison: Comparison, context: BenchContext): Promise<Measured[]> {
  const { rounds, profile, say } = context;
  const seconds = context.seconds ?? comparison.seconds;
  await using stack = new AsyncDisposableStack();
  const running: Running[] = [];
  for (const side of comparison.sides) {
    if (profile !== undefined && !side.name.startsWith(own)) continue;
    const server = await startSide(side, { comparison, context });
    if (server === null) continue;
    stack.use(server);
    running.push({ ...side, server, rps: [], cpuUs: [], failures: 0 });
  }
  for (const { server, load, warmUpSeconds = Math.min(2, seconds) } of running)
    await wrk(server.url, { ...comparison.load, ...load, seconds: warmUpSeconds });
  for (let index = 0; index < rounds; index++) {
    for (let turn = 0; turn < running.length; turn++) {
      const side = running[(index + turn) % running.length]!;
      await measure(side, { ...comparison.load, ...side.load, seconds });
      say(
        `round ${index + 1} ${side.name}: ${round(side.rps.at(-1)!)} req/s, ${round(side.cpuUs.at(-1)!)} µs CPU per request`,
      );
    }
  }
  return running;
}

async function startSide(
  side: Contestant,
  { comparison, context }: { comparison: Comparison; context: BenchContext },
): Promise<BenchServer | null> {
  try {
    const server = await side.start();
    try {
      const { status, body } = await fetchFrom(targetOf(server.url), comparison.request);
      if (status !== 200 || !body.equals(Buffer.from(comparison.expected)))
        throw new Error(`it answered with ${status} and ${body.length} bytes: ${body.toString('utf8', 0, 80)}`);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  } catch (error) {
    // Without its own side there is nothing to compare.
    if (side.name.startsWith(own)) throw error;
    context.missing({
      case: comparison.case,
      side: side.name,
      why: error instanceof Error ? error.message : String(error),
    });
    return null;
  }
}

async function measure(side: Running, load: WrkOptions): Promise<void> {
  const pids = side.pids?.(side.server) ?? [side.server.pid];
  const cpuMs = async (): Promise<number> => {
    let sum = 0;
    for (const pid of pids) sum += await cpuTimeMs(pid);
    return sum;
  };
  const before = await cpuMs();
  const result = await wrk(side.server.url, load);
  const used = (await cpuMs()) - before;
  const answered = result.requests - result.failures;
  if (answered <= 0) throw new Error(`${side.name} answered none of ${result.requests} requests`);
  side.rps.push((result.requestsPerSecond * answered) / result.requests);
  side.cpuUs.push((used * 1000) / answered);
  side.failures += result.failures;
}

function reportAll(comparison: Comparison, running: readonly Measured[], { rounds, report }: BenchContext): void {
  const base = { case: comparison.case, samples: rounds };
  const tell = (side: string, name: string, values: readonly number[], unit: string): void =>
    report({ ...base, side, name, value: round(median(values)), unit, rounds: values.map(round) });
  for (const { name, rps, cpuUs, failures } of running) {
    tell(name, 'throughput', rps, 'req/s');
    tell(name, 'CPU per request', cpuUs, 'µs');
    // A peer's are worth a line when there are any.
    if (name === own || failures > 0)
      report({
        ...base,
        side: name,
        name: 'failed requests',
        value: failures,
        unit: 'requests',
        ...(name === own && { target: { most: 0 } }),
      });
  }
  const first = running.find(({ name }) => name === own);
  for (const peer of running) {
    if (first === undefined || peer === first) continue;
    const targets = comparison.targets?.[peer.name] ?? {};
    const ratio = (name: string, of: (side: Measured) => number[], target: Target | undefined): void => {
      const values = of(first).map((value, i) => value / of(peer)[i]!);
      report({
        ...base,
        side: own,
        over: peer.name,
        name,
        value: round(median(values)),
        unit: 'x',
        rounds: values.map(round),
        ...(target !== undefined && { target }),
      });
    };
    ratio('throughput', (side) => side.rps, targets.throughput);
    ratio('CPU per request', (side) => side.cpuUs, targets.cpu);
  }
}
