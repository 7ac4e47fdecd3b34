import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DatabaseToHost, DatabaseToWorker } from '../../../../../runtime/channel/frames.ts';
import { PermitBroker } from '../../../../../runtime/host/database/permits.ts';
import type { PermitHolder } from '../../../../../runtime/host/database/permits.ts';
import { Permits } from '../../../../../runtime/worker/mysql/permits.ts';

/** A worker with the real end of the protocol; messages lie in queues until the test delivers them. */
class Worker {
  readonly toHost: DatabaseToHost[] = [];
  readonly toWorker: DatabaseToWorker[] = [];
  readonly permits: Permits;
  holder: PermitHolder;
  /** Invocations that wait for a connection, and connections that are used. */
  waiting = 0;
  using = 0;
  served = 0;
  dead = false;

  constructor(broker: PermitBroker) {
    this.holder = broker.add();
    this.permits = new Permits({
      name: 'main',
      figures: { queries: 0, rows: 0, waitMs: 0, queryMs: 0, busy: 0 },
      send: (message) => this.toHost.push(message),
      onGrant: () => {
        if (this.waiting === 0) this.permits.giveBack(null);
        else {
          this.waiting--;
          this.using++;
          this.served++;
        }
      },
      onRecall: () => {},
      onEnding: () => {},
      onOrphans: () => {},
    });
  }

  need(count: number): void {
    this.waiting += count;
    this.permits.want(this.waiting);
  }

  /** Waits that came to their deadline. */
  forget(count: number): void {
    this.waiting -= Math.min(count, this.waiting);
    this.permits.want(this.waiting);
  }

  finish(): void {
    if (this.using === 0) return;
    this.using--;
    this.permits.giveBack(null);
  }
}

class World {
  readonly workers: Worker[] = [];
  readonly broker: PermitBroker;
  /** Connections of workers that died. */
  orphans = 0;

  constructor(limit: number) {
    this.broker = new PermitBroker({
      limit,
      onChange: (holder) => {
        const worker = this.workers.find((one) => one.holder === holder);
        const { granted, recall } = holder;
        const { used, limit } = this.broker;
        worker?.toWorker.push({
          type: 'database',
          name: 'main',
          granted,
          recall,
          used,
          limit,
          orphans: [],
          ending: false,
        });
      },
    });
  }

  /** Connections that are open, or may be opened without asking again. */
  get open(): number {
    return this.workers.reduce(
      (sum, { dead, using, permits }) => sum + (dead ? 0 : Math.max(using, permits.held)),
      this.orphans,
    );
  }

  async deliver(worker: Worker): Promise<void> {
    const toHost = worker.toHost.shift();
    if (toHost !== undefined) this.broker.update(worker.holder, toHost);
    const toWorker = worker.toWorker.shift();
    if (toWorker !== undefined && !worker.dead) worker.permits.receive(toWorker);
    await Promise.resolve();
  }

  async settle(): Promise<void> {
    await Promise.resolve();
    for (;;) {
      const busy = this.workers.filter((one) => one.toHost.length + (one.dead ? 0 : one.toWorker.length) > 0);
      if (busy.length === 0) return;
      for (const worker of busy) await this.deliver(worker);
    }
  }

  die(worker: Worker): void {
    if (worker.dead) return;
    worker.dead = true;
    worker.waiting = 0;
    worker.toHost.length = 0;
    // What was granted and is still on its way counts as well: the host cannot know.
    this.orphans += this.broker.remove(worker.holder);
  }

  free(): void {
    this.broker.freeOrphans(this.orphans);
    this.orphans = 0;
  }
}

type Step = { kind: 'need' | 'forget' | 'finish' | 'deliver' | 'die' | 'free' | 'tick'; at: number; count: number };

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    'need',
    'need',
    'forget',
    'finish',
    'finish',
    'deliver',
    'deliver',
    'deliver',
    'die',
    'free',
    'tick',
  ),
  at: fc.nat(5),
  count: fc.integer({ min: 1, max: 3 }),
});

async function perform(world: World, { kind, at, count }: Step): Promise<void> {
  if (world.workers.length <= at) world.workers.push(new Worker(world.broker));
  const worker = world.workers[at % world.workers.length]!;
  if (kind === 'die') world.die(worker);
  else if (kind === 'free') world.free();
  else if (kind === 'tick') world.broker.tick();
  else if (worker.dead) return;
  else if (kind === 'need') worker.need(count);
  else if (kind === 'forget') worker.forget(count);
  else if (kind === 'finish') worker.finish();
  else await world.deliver(worker);
}

test('a budget is never exceeded and no permit is lost, whatever workers do and however late messages are', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 120, size: 'max' }),
      async (limit, steps) => {
        const world = new World(limit);
        for (const each of steps) {
          await perform(world, each);
          await Promise.resolve();
          expect(world.open).toBeLessThanOrEqual(limit);
          expect(world.broker.used).toBeLessThanOrEqual(limit);
        }
        // Everybody ends: every permit is there again.
        for (const worker of world.workers) if (!worker.dead) worker.forget(worker.waiting);
        await world.settle();
        for (const worker of world.workers) while (!worker.dead && worker.using > 0) worker.finish();
        await world.settle();
        world.free();
        expect([world.broker.used, world.broker.orphans, world.broker.needed]).toEqual([0, 0, 0]);
      },
    ),
    { numRuns: 300 },
  );
});

test('whoever waits is served in turn, however much others want', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 8 }),
      async (limit, needs) => {
        const world = new World(limit);
        for (const need of needs) {
          const worker = new Worker(world.broker);
          world.workers.push(worker);
          worker.need(need);
          await world.settle();
        }
        // Each turn ends one connection: of those that are asked for it, as a worker does it.
        for (let turn = 0; turn < needs.length + limit; turn++) {
          const asked = world.workers.find(({ permits, using }) => using > 0 && permits.recalled > 0);
          (asked ?? world.workers.find(({ using }) => using > 0))?.finish();
          await world.settle();
        }
        expect(world.workers.map(({ served }) => served > 0)).toEqual(needs.map(() => true));
      },
    ),
    { numRuns: 100 },
  );
});

test('a lowered budget is reached by asking for connections back', async () => {
  const world = new World(4);
  const worker = new Worker(world.broker);
  world.workers.push(worker);
  worker.need(4);
  await world.settle();
  let down = false;
  void world.broker.setLimit(1).then(() => (down = true));
  await world.settle();
  expect([worker.permits.recalled, down]).toEqual([3, false]);
  for (let i = 0; i < 3; i++) {
    worker.finish();
    await world.settle();
  }
  await Promise.resolve();
  expect([world.broker.used, down]).toEqual([1, true]);
});
