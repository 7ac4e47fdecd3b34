import { expect, test } from 'vitest';
import { Slots } from '../../../deploy/slots.ts';

const { signal } = new AbortController();

test('Slots lets so many run at once, and the others in the order asked for', async () => {
  const slots = new Slots(2);
  const log: string[] = [];
  const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
  const all = gates.map((gate, n) =>
    slots.run(
      async () => {
        log.push(`${n} begins`);
        await gate.promise;
      },
      { signal, onWait: () => log.push(`${n} waits`) },
    ),
  );
  await Promise.resolve();
  expect(log).toEqual(['2 waits', '3 waits', '0 begins', '1 begins']);
  gates[1]?.resolve();
  await all[1];
  gates[0]?.resolve();
  await all[0];
  gates[2]?.resolve();
  gates[3]?.resolve();
  await Promise.all(all);
  expect(log.slice(4)).toEqual(['2 begins', '3 begins']);
});

test('Slots lets go of what is aborted while it waits, and of its place when it fails', async () => {
  const slots = new Slots(1);
  const gate = Promise.withResolvers<void>();
  const first = slots.run(() => gate.promise.then(() => Promise.reject(new Error('no'))), { signal, onWait() {} });
  const gone = new AbortController();
  const second = slots.run(async () => 'never', { signal: gone.signal, onWait: () => gone.abort(new Error('gone')) });
  await expect(second).rejects.toThrow('gone');
  gate.resolve();
  await expect(first).rejects.toThrow('no');
  expect(await slots.run(async () => 'yes', { signal, onWait() {} })).toBe('yes');
});
