import type { FunctionStats } from '../../runtime/contract/ipc.ts';
import type { BenchStep, Bound } from './step.ts';

/** What limits: a word for programs, and a sentence for people. */
export interface Limit {
  by:
    | 'generator'
    | 'cpu'
    | 'main-thread'
    | 'worker-cpu'
    | 'concurrency'
    | 'queue'
    | 'connections'
    | 'errors'
    | 'waiting'
    | 'max-rate';
  words: string;
}

const busy = 0.9;
/** What other programs may use of the machine without being mentioned. */
const othersShare = 0.15;
/** Of the machine: some is always lost between its programs. */
const machineBusy = 0.88;

/** Why the first rate above the knee did not hold, as far as the figures tell. */
export function explainLimit(failed: BenchStep, { p99Ms, connections }: Bound & { connections: number }): Limit {
  const { cpu, generator, figures, outcomes } = failed;
  const isFull = cpu.machine >= cpu.cores * machineBusy;
  if (!isFull && (generator.utilization >= busy || generator.lagP99 > p99Ms / 2)) {
    return {
      by: 'generator',
      words: `the load generator: its thread was ${percent(generator.utilization)} busy and sent late by ${figure(generator.lagP99)} ms (p99); the server may carry more`,
    };
  }
  const isWaiting = cpu.busiestThread !== null && cpu.busiestThread < 0.5;
  // A machine that others keep busy is no reason for handlers that wait.
  if (isWaiting && figures !== null && isAtConcurrency(figures)) return concurrencyLimit(figures);
  if (isFull) return { by: 'cpu', words: machineWords(failed) };
  if (cpu.mainThread !== null && cpu.mainThread >= busy) {
    return {
      by: 'main-thread',
      words: `the app host's main thread, which reads and routes every request: ${percent(cpu.mainThread)} of a core`,
    };
  }
  if (
    figures !== null &&
    cpu.busiestThread !== null &&
    figures.workers >= figures.maxWorkers &&
    cpu.busiestThread >= busy
  ) {
    return {
      by: 'worker-cpu',
      words: `computing in the function's workers: ${figures.workers} of maxWorkers ${figures.maxWorkers}, one used ${percent(cpu.busiestThread)} of a core while the machine had ${figure(cpu.cores - cpu.machine)} cores left; raise maxWorkers`,
    };
  }
  if (figures !== null && isAtConcurrency(figures)) return concurrencyLimit(figures);
  const refused = outcomes['503'] ?? 0;
  if (refused > 0)
    return { by: 'queue', words: `the queue: ${refused} of ${failed.requests} requests were refused with 503` };
  if (failed.mostWaiting > 0 && failed.errors === (outcomes['unsent'] ?? 0)) {
    return {
      by: 'connections',
      words: `the ${connections} connections of the load: all waited for answers while the machine had ${figure(cpu.cores - cpu.machine)} cores left; --connections allows more, if clients are that many`,
    };
  }
  if (failed.errors > 0) return { by: 'errors', words: `errors: ${outcomeWords(outcomes)}` };
  return {
    by: 'waiting',
    words: `not the CPU (${figure(cpu.machine)} of ${cpu.cores} cores in use): the function waits for something else, a database or another server for example`,
  };
}

/** Every worker that it may have holds as many invocations as it may: or others wait for a place, one of which is free for the moment of the look. */
function isAtConcurrency({ workers, maxWorkers, inFlight, queued, concurrency }: FunctionStats): boolean {
  return workers >= maxWorkers && (queued > 0 || inFlight >= workers * concurrency * busy);
}

function concurrencyLimit({ workers, concurrency, inFlight }: FunctionStats): Limit {
  const each = `${workers} ${workers === 1 ? 'worker' : 'workers'} of ${concurrency} each`;
  return {
    by: 'concurrency',
    words: `concurrency: ${inFlight} requests in flight in ${each}, whose threads hardly compute; raise concurrency or maxWorkers`,
  };
}

/** What a person should know of how far the figures go; empty: nothing. */
export function caveats(steps: readonly BenchStep[], { p99Ms }: Bound): string[] {
  const notes: string[] = [];
  const late = steps.filter(({ generator }) => generator.utilization >= busy || generator.lagP99 > p99Ms / 2);
  if (late.length > 0) {
    const rates = [...new Set(late.map(({ rate }) => String(Math.round(rate))))].join(', ');
    notes.push(`the load generator itself was late at ${rates} req/s: of these the server may carry more than it says`);
  }
  const others = steps.flatMap((step) => othersOf(step) ?? []);
  const mean = others.reduce((sum, each) => sum + each, 0) / Math.max(1, others.length);
  const cores = steps[0]?.cpu.cores ?? 1;
  if (mean > cores * othersShare) {
    notes.push(
      `other programs used ${figure(mean)} of ${cores} cores meanwhile: on a quiet machine the knee is higher`,
    );
  }
  return notes;
}

/** CPUs that neither the app nor the load used; null: not known. */
function othersOf({ cpu }: BenchStep): number | null {
  return cpu.app === null ? null : Math.max(0, cpu.machine - cpu.app - cpu.load);
}

/** `503: 120, timeout: 3`, without what went well. */
export function outcomeWords(outcomes: Record<string, number>): string {
  const bad = Object.entries(outcomes).filter(([name]) => !(Number(name) < 400));
  return bad.map(([name, count]) => `${name}: ${count}`).join(', ');
}

function machineWords(step: BenchStep): string {
  const { cpu } = step;
  const of = `the machine's CPU: ${figure(cpu.machine)} of ${cpu.cores} cores in use`;
  const app = cpu.app === null ? '' : `, the app ${figure(cpu.app)}`;
  const others = othersOf(step) ?? 0;
  const rest = others > cpu.cores * othersShare ? `, other programs ${figure(others)}` : '';
  const more = cpu.load > cpu.machine * 0.2 ? '; with the load from another machine the app would carry more' : '';
  return `${of}${app}, the load generator ${figure(cpu.load)}${rest}${more}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function figure(value: number): string {
  return String(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(2)));
}
