import { expect, test } from 'vitest';
import { Turns } from '../../../../runtime/supervisor/turns.ts';

test('turns are taken one after the other, also after one that failed', async () => {
  const turns = new Turns();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = turns.run(async () => {
    await gate.promise;
    order.push('first');
    throw new Error('no');
  });
  const second = turns.run(async () => order.push('second'));
  expect(turns.busy).toBe(true);
  gate.resolve();
  await expect(first).rejects.toThrow('no');
  await second;
  expect([order, turns.busy]).toEqual([['first', 'second'], false]);
});
