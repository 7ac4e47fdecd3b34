/**
 * Asks each target at a steady rate, whether or not it answers, from a process of its own: the test's
 * event loop and what it waits for have no part in the figures.
 */
import { Agent } from 'node:http';
import { fetchFrom } from '../../support/http.ts';
import type { FromProber, ProbeTarget, Sample, ToProber } from './probe-types.ts';

/** A sample that is not over has no end yet. */
type Running = Omit<Sample, 'endedAt'> & { endedAt: number | null };

const agent = new Agent({ keepAlive: true });
let samples: Running[] = [];
const takers: { id: number; least: number; from: number }[] = [];
let targets: ProbeTarget[] = [];

const now = (): number => performance.timeOrigin + performance.now();

async function ask(target: number, { alone }: { alone: boolean }): Promise<void> {
  const { at, method, path, host, body } = targets[target]!;
  const sample: Running = { target, startedAt: now(), endedAt: null, failure: null };
  samples.push(sample);
  try {
    const response = await fetchFrom(at, {
      ...(method !== undefined && { method }),
      path,
      headers: [['Host', host]],
      ...(!alone && { agent }),
    });
    if (response.status !== 200 || response.text !== body) {
      sample.failure = `${response.status} ${/FN_\w+/.exec(response.text)?.[0] ?? response.text.slice(0, 40)}`;
      if (response.status === 503 && response.headers['retry-after'] === undefined) sample.failure += ' no Retry-After';
    }
  } catch (error) {
    sample.failure = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  }
  sample.endedAt = now();
  serveTakers();
}

function serveTakers(): void {
  const taker = takers[0];
  if (taker === undefined) return;
  const enough = targets.every((_, index) => samples.filter((sample) => sample.target === index).length >= taker.least);
  if (!enough) return;
  // What is sent from here on belongs to the next.
  if (taker.from === 0) taker.from = samples.length;
  const mine = samples.slice(0, taker.from);
  if (mine.some((sample) => sample.endedAt === null)) return;
  samples = samples.slice(taker.from);
  takers.shift();
  process.send?.({ type: 'samples', id: taker.id, samples: mine as Sample[] } satisfies FromProber);
}

function start(message: Extract<ToProber, { type: 'start' }>): void {
  targets = message.targets;
  let turn = 0;
  // The targets take turns, so that they do not meet in one burst.
  setInterval(() => {
    const target = turn % targets.length;
    const round = Math.floor(turn++ / targets.length);
    void ask(target, { alone: round % message.newConnectionEvery === 0 });
  }, message.everyMs / targets.length);
}

process.on('message', (message: ToProber) => {
  if (message.type === 'start') start(message);
  else {
    takers.push({ id: message.id, least: message.least, from: 0 });
    serveTakers();
  }
});
process.on('disconnect', () => process.exit());
