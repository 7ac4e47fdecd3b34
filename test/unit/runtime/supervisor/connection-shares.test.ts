import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { OpenConnections } from '../../../../runtime/contract/ipc.ts';
import { databaseLimits } from '../../../../runtime/contract/limits.ts';
import { ConnectionShares } from '../../../../runtime/supervisor/connection-shares.ts';
import type { ShareHolder } from '../../../../runtime/supervisor/connection-shares.ts';

/** A process that lets go of its connections when the test says so. */
class Process implements ShareHolder {
  readonly budgets: Record<string, number>;
  readonly isPreview: boolean;
  readonly #end = Promise.withResolvers<void>();
  readonly ended = this.#end.promise;
  open: Record<string, OpenConnections> = {};
  inherited: OpenConnections[] = [];
  /** Told last, and agreed to: until then it may have as many as before. */
  told = 0;
  agreed = 0;
  #release: (() => void) | null = null;

  constructor(main: number, { isPreview = false } = {}) {
    this.isPreview = isPreview;
    this.budgets = { main };
  }

  limit(
    { main = 0 }: Record<string, number>,
    { inherited }: { inherited: Record<string, OpenConnections> },
  ): Promise<void> {
    this.told = main;
    if (inherited['main'] !== undefined) this.inherited.push(inherited['main']);
    if (main >= this.agreed) {
      this.agreed = main;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#release = () => {
        this.agreed = main;
        resolve();
      };
    });
  }

  letGo(): void {
    this.#release?.();
  }

  end(): void {
    this.agreed = 0;
    this.#end.resolve();
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Until all has been told; closed connections have been counted off. */
const turns = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await vi.advanceTimersByTimeAsync(databaseLimits.settleMs);
};

test('a process alone has the whole budget', async () => {
  const shares = new ConnectionShares();
  const only = new Process(7);
  shares.add(only);
  await turns();
  expect(only.told).toBe(7);
});

test('a second process gets its part when the first has let go of it, and all when the first has ended', async () => {
  const shares = new ConnectionShares();
  const [old, next] = [new Process(7), new Process(7)];
  shares.add(old);
  await turns();
  shares.add(next);
  await turns();
  expect([old.told, old.agreed, next.agreed]).toEqual([4, 7, 0]);
  old.letGo();
  await turns();
  expect([old.agreed, next.agreed]).toEqual([4, 3]);
  old.end();
  await turns();
  expect(next.agreed).toBe(7);
});

test('a budget of one stays with the first process until that has ended', async () => {
  const shares = new ConnectionShares();
  const [old, next] = [new Process(1), new Process(1)];
  shares.add(old);
  shares.add(next);
  await turns();
  expect([old.agreed, next.agreed]).toEqual([1, 0]);
  old.end();
  await turns();
  expect(next.agreed).toBe(1);
});

test('where two releases ask for different budgets, both together have the smaller', async () => {
  const shares = new ConnectionShares();
  const [old, next] = [new Process(20), new Process(4)];
  shares.add(old);
  await turns();
  shares.add(next);
  await turns();
  old.letGo();
  await turns();
  expect([old.agreed, next.agreed]).toEqual([2, 2]);
});

test('previews have small parts of the budget of their app, which is not theirs to lower', async () => {
  const shares = new ConnectionShares();
  const app = new Process(10);
  const previews = [new Process(1, { isPreview: true }), new Process(50, { isPreview: true })];
  shares.add(app);
  for (const preview of previews) shares.add(preview);
  await turns();
  app.letGo();
  await turns();
  app.letGo();
  await turns();
  expect([app.agreed, ...previews.map(({ agreed }) => agreed)]).toEqual([6, 2, 2]);
  app.end();
  await turns();
  expect(previews.map(({ agreed }) => agreed).reduce((a, b) => a + b)).toBeLessThanOrEqual(10);
});

test('connections of a process that has ended are handed on with its part, and never to two', async () => {
  const shares = new ConnectionShares();
  const [dead, next, late] = [new Process(7), new Process(7), new Process(7)];
  shares.add(dead);
  await turns();
  dead.open = { main: { permits: 5, ids: [11, 12, 13] } };
  dead.end();
  await turns();
  shares.add(next);
  shares.add(late);
  await turns();
  // Two are free, so the two more that it may have are the dead one's.
  expect([next.agreed, next.inherited, late.agreed, late.inherited]).toEqual([
    4,
    [{ permits: 2, ids: [11, 12] }],
    3,
    [{ permits: 3, ids: [13] }],
  ]);
});

test('what nobody has inherited by the time that the server must have noticed counts no more', async () => {
  const shares = new ConnectionShares();
  const [dead, soon, late] = [new Process(7), new Process(3), new Process(7)];
  shares.add(dead);
  await turns();
  dead.open = { main: { permits: 5, ids: [] } };
  dead.end();
  await turns();
  shares.add(soon);
  await turns();
  expect([soon.agreed, soon.inherited]).toEqual([3, [{ permits: 3, ids: [] }]]);
  soon.end();
  await vi.advanceTimersByTimeAsync(databaseLimits.closeMs);
  shares.add(late);
  await turns();
  expect([late.agreed, late.inherited]).toEqual([7, []]);
});
