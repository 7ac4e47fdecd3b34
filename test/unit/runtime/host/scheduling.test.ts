import { expect, test } from 'vitest';
import type { SchedulingPolicy } from '../../../../runtime/contract/ipc.ts';
import { schedulingLimits } from '../../../../runtime/contract/limits.ts';
import { Scheduling } from '../../../../runtime/host/scheduling.ts';

const { answerMs, busyShare, lookMs, perSecond, silentMs, steadyMs } = schedulingLimits;

/** An app with one worker, in a time of its own. */
class Bench {
  readonly told: SchedulingPolicy[] = [];
  readonly load = { busy: 0.3, answerMs: 0.02 };
  now = 1_000_000;
  requests = 0;
  heard = 0;
  inFlight = 1;
  activeMs = 0;
  readonly #scheduling: Scheduling;

  constructor() {
    const own = { thread: { activeMs: () => this.activeMs }, load: this.load };
    const worker = Object.defineProperties(own as typeof own & { inFlight: number; heard: number }, {
      inFlight: { get: () => this.inFlight },
      heard: { get: () => this.heard },
    });
    this.#scheduling = new Scheduling({
      workers: () => [worker],
      requests: () => this.requests,
      tell: (policy) => this.told.push(policy),
    });
    this.#scheduling.look(this.now);
  }

  /** Time goes by, with so many requests a second, each of them answered at once. */
  quick(ms: number, rate = 2 * perSecond): this {
    for (const end = this.now + ms; this.now < end;) {
      this.requests += (rate * lookMs) / 1_000;
      this.heard++;
      this.#step(lookMs * this.load.busy);
    }
    return this;
  }

  /** Time goes by, and the worker says nothing; at work for this share of it. */
  silent(ms: number, share: number): this {
    for (const end = this.now + ms; this.now < end;) this.#step(lookMs * share);
    return this;
  }

  #step(activeMs: number): void {
    this.activeMs += activeMs;
    this.now += lookMs;
    this.#scheduling.look(this.now);
  }
}

test('many requests of which none computes bring batch, once', () => {
  expect(new Bench().quick(steadyMs - lookMs).told).toEqual([]);
  expect(new Bench().quick(3 * steadyMs).told).toEqual(['batch']);
});

test('few requests bring nothing', () => {
  expect(new Bench().quick(5 * steadyMs, perSecond / 2).told).toEqual([]);
});

test('a worker that loops ends it within two looks, although nothing else is asked for', () => {
  const bench = new Bench().quick(2 * steadyMs);
  expect(bench.silent(2 * lookMs, 1).told).toEqual(['batch', 'other']);
});

test('a worker that waits for something else does not', () => {
  const bench = new Bench().quick(2 * steadyMs);
  expect(bench.silent(steadyMs, 0.1).told).toEqual(['batch']);
});

test('a worker that computes for each answer ends it, and keeps it from coming', () => {
  const bench = new Bench().quick(2 * steadyMs);
  Object.assign(bench.load, { busy: busyShare, answerMs });
  expect(bench.quick(lookMs).told).toEqual(['batch', 'other']);
  const slow = new Bench();
  // Nothing is known of what an answer of it takes: so few came.
  Object.assign(slow.load, { busy: 1, answerMs: Infinity });
  expect(slow.quick(5 * steadyMs).told).toEqual([]);
});

test('a worker without work does not count, however slow its answers were', () => {
  const bench = new Bench();
  Object.assign(bench.load, { busy: 1, answerMs: 20 });
  bench.inFlight = 0;
  expect(bench.quick(2 * steadyMs).told).toEqual(['batch']);
});

test('it comes back when nothing has computed for as long as at first', () => {
  const bench = new Bench().quick(2 * steadyMs).silent(2 * lookMs, 1);
  expect(bench.told).toEqual(['batch', 'other']);
  bench.quick(steadyMs - lookMs);
  expect(bench.told).toEqual(['batch', 'other']);
  bench.quick(2 * lookMs);
  expect(bench.told).toEqual(['batch', 'other', 'batch']);
});

test('the look is often enough for the silence that it has to see', () => {
  expect(lookMs).toBeGreaterThan(silentMs);
});
