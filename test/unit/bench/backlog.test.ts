import { expect, test } from 'vitest';
import { Backlog } from '../../bench/load/backlog.ts';

test('what comes first goes first, however many there have been', () => {
  const backlog = new Backlog();
  const queue: number[] = [];
  let next = 0;
  // Grows to some thousands, shrinks to none and past it, and grows again.
  for (const [pushed, taken] of [
    [3, 1],
    [1, 4],
    [2, 0],
  ] as const) {
    for (let round = 0; round < 2_000; round++) {
      for (let i = 0; i < pushed; i++, next++) {
        backlog.push(next);
        queue.push(next);
      }
      for (let i = 0; i < taken; i++) expect(backlog.shift()).toBe(queue.shift());
      expect(backlog.length).toBe(queue.length);
    }
  }
});
