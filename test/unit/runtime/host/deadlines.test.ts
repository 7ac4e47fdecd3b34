import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Deadlines, msLeft, takeBack } from '../../../../runtime/host/deadlines.ts';
import { eventually } from '../../../support/deadline.ts';

function deadlines(): {
  told: string[];
  add: (value: string, afterMs: number) => ReturnType<Deadlines<string>['add']>;
} {
  const told: string[] = [];
  const all = new Deadlines<string>((value) => told.push(value));
  return { told, add: (value, afterMs) => all.add(value, { afterMs, now: performance.now() }) };
}

test('what is due is told, in its order and not before its time', async () => {
  const { told, add } = deadlines();
  const begun = performance.now();
  add('a', 30);
  add('b', 30);
  await sleep(10);
  add('c', 30);
  add('first', 5);
  await eventually(() => told.length === 4);
  expect(performance.now() - begun).toBeGreaterThanOrEqual(40);
  expect(told).toEqual(['first', 'a', 'b', 'c']);
});

test('what was taken back is not told, wherever it stood', async () => {
  const { told, add } = deadlines();
  const all = ['a', 'b', 'c', 'd', 'e'].map((value) => add(value, 20));
  for (const at of [0, 2, 4]) takeBack(all[at]!);
  takeBack(all[2]!);
  await eventually(() => told.length === 2);
  expect(told).toEqual(['b', 'd']);
  // Over: nothing is left to take back.
  takeBack(all[1]!);
  add('f', 20);
  await eventually(() => told.length === 3);
  expect(told).toEqual(['b', 'd', 'f']);
});

test('all of one length may be taken back, and others come', async () => {
  const { told, add } = deadlines();
  takeBack(add('a', 10));
  await sleep(30);
  add('b', 10);
  await eventually(() => told.length === 1);
  takeBack(add('c', 10));
  add('d', 10);
  await eventually(() => told.length === 2);
  expect(told).toEqual(['b', 'd']);
});

test('what is due may set the next', async () => {
  const told: number[] = [];
  const all: Deadlines<number> = new Deadlines((value) => {
    told.push(value);
    if (value < 3) all.add(value + 1, { afterMs: 5, now: performance.now() });
  });
  all.add(1, { afterMs: 5, now: performance.now() });
  await eventually(() => told.length === 3);
  await sleep(20);
  expect(told).toEqual([1, 2, 3]);
});

test('ten thousand that come and go, some of them due: each is told once or not at all', async () => {
  const { told, add } = deadlines();
  const kept: string[] = [];
  const open: { value: string; deadline: ReturnType<typeof add> }[] = [];
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  for (let i = 0; i < 10_000; i++) {
    const value = String(i);
    open.push({ value, deadline: add(value, 1000 + random(3)) });
    if (random(100) === 0) kept.push(value);
    while (open.length > 50) {
      const [{ value: gone, deadline }] = open.splice(random(open.length), 1) as [(typeof open)[number]];
      if (!kept.includes(gone)) takeBack(deadline);
    }
  }
  for (const { value, deadline } of open) if (!kept.includes(value)) takeBack(deadline);
  await eventually(() => told.length === kept.length);
  await sleep(20);
  expect(told.toSorted()).toEqual(kept.toSorted());
});

test('msLeft gives nobody longer than the timeout, whatever the clock says', () => {
  // Off it comes as 4321.000000000001.
  expect(3883.9480966 + 4321 - 3883.9480966).toBeGreaterThan(4321);
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      fc.integer({ min: 1, max: 900_000 }),
      (now, timeoutMs) => {
        expect(msLeft(now + timeoutMs, now)).toBe(timeoutMs);
      },
    ),
  );
  expect([msLeft(5, 4.9), msLeft(5, 9)]).toEqual([1, 1]);
});
