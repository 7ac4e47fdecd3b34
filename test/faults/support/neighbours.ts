import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { within } from '../../support/deadline.ts';
import type { FromProber, ProbeTarget, Sample, ToProber } from './probe-types.ts';
import { measureSlowness } from './machine.ts';
import { figuresOf, type Figures } from './figures.ts';

/** How the neighbours did while a fault was on, and just before. */
export interface NeighbourReport<T> {
  /** What the work resolved to. */
  result: T;
  /** By the name of the target; `control` is a bare server on the same machine. */
  before: Record<string, Figures>;
  during: Record<string, Figures>;
  /** How slow the machine was, before or after: the worse. */
  slowness: number;
}

/** Asks neighbours steadily from a process of its own. */
export interface Neighbours extends AsyncDisposable {
  /** Measures, then does `work`, and measures meanwhile and until each has answered a few times after it. */
  during<T>(work: () => Promise<T>): Promise<NeighbourReport<T>>;
}

/** Each target is asked this often; every fourth request on a connection of its own. */
const everyMs = 20;
const newConnectionEvery = 4;
/** Requests to each target before a fault, and at least while it is on. */
const leastBefore = 40;
const leastDuring = 25;
const takeMs = 60_000;

const children = new Map<ChildProcess, string>();

function start(file: string): ChildProcess {
  const child = fork(join(import.meta.dirname, file), { execArgv: [], env: {} });
  children.set(child, file);
  return child;
}

/** Starts to ask `targets`, and a bare server beside them. */
export async function startNeighbours(targets: readonly ProbeTarget[]): Promise<Neighbours> {
  const control = start('control-process.ts');
  const [{ port }] = (await within(15_000, 'the start of the control server', once(control, 'message'))) as [
    { port: number },
  ];
  const prober = start('prober-process.ts');
  const all: ProbeTarget[] = [
    ...targets,
    { name: 'control', at: { host: '127.0.0.1', port }, path: '/', host: 'control', body: 'control' },
  ];
  const send = (message: ToProber): void => void prober.send(message);
  send({ type: 'start', targets: all, everyMs, newConnectionEvery });

  let nextId = 1;
  const take = async (least: number): Promise<Record<string, Figures>> => {
    const id = nextId++;
    const answer = new Promise<Sample[]>((resolve, reject) => {
      const onMessage = (message: FromProber): void => {
        if (message.id !== id) return;
        prober.off('message', onMessage);
        resolve(message.samples);
      };
      prober.on('message', onMessage);
      prober.once('exit', () => reject(new Error('the prober has ended')));
    });
    send({ type: 'take', id, least });
    const samples = await within(takeMs, 'the measurement of the neighbours', answer);
    return Object.fromEntries(
      all.map(({ name }, index) => [name, figuresOf(samples.filter(({ target }) => target === index))]),
    );
  };

  return {
    async during(work) {
      const slownessBefore = await measureSlowness();
      await take(0);
      const before = await take(leastBefore);
      const result = await work();
      const during = await take(leastDuring);
      return { result, before, during, slowness: Math.max(slownessBefore, await measureSlowness()) };
    },
    async [Symbol.asyncDispose]() {
      for (const child of [prober, control]) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const ended = once(child, 'exit');
        child.disconnect();
        await within(15_000, `the end of ${children.get(child)}`, ended);
      }
    },
  };
}
