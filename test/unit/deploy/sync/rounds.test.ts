import { expect, test } from 'vitest';
import { Rounds, type Round } from '../../../../deploy/sync/rounds.ts';
import type { SyncPartOutcome } from '../../../../router/control/domain-types.ts';

const problem = { app: null, subject: 'server', message: 'away', hint: null };
const part = (id: string, changed: string[] = [], problems: SyncPartOutcome['problems'] = []): SyncPartOutcome => ({
  id,
  changed,
  problems,
});

function rounds(results: { parts: SyncPartOutcome[]; whole: boolean }[]) {
  const state = { request: 1, ended: [] as Round[], on: 0, most: 0 };
  const made = new Rounds({
    requested: async () => state.request,
    run: async () => {
      state.on += 1;
      state.most = Math.max(state.most, state.on);
      await new Promise((resolve) => setImmediate(resolve));
      state.on -= 1;
      return results.shift() ?? { parts: [part('nginx')], whole: true };
    },
    ended: async (round) => void state.ended.push(round),
  });
  return { made, state };
}

test('what changed in all rounds is told, and the problems of the last', async () => {
  const { made, state } = rounds([
    { parts: [part('apps', [], [problem]), part('nginx', ['wrote one'], [problem])], whole: true },
    { parts: [part('apps', [], [problem])], whole: false },
    { parts: [part('nginx', ['wrote two'])], whole: true },
  ]);
  await made.next();
  state.request = 2;
  expect(await made.next()).toMatchObject({ request: 2, whole: false });
  // One that could not begin has undone nothing.
  expect(made.parts).toEqual([part('nginx', ['wrote one'], [problem]), part('apps', [], [problem])]);
  await made.next();
  expect(made.parts).toEqual([part('nginx', ['wrote one', 'wrote two'])]);
  expect(state.ended.map(({ request }) => request)).toEqual([1, 2, 2]);
});

test('rounds and what is done between them come one after the other', async () => {
  const { made, state } = rounds([]);
  const seen: number[] = [];
  await Promise.all([
    made.next(),
    made.between(async () => void seen.push(state.on)),
    made.next(),
    made.between(() => Promise.reject(new Error('no'))).catch(() => seen.push(-1)),
    made.next(),
  ]);
  expect([state.most, state.ended.length, seen]).toEqual([1, 3, [0, -1]]);
});

test('while something slow is at work each new request has its round, and its failure is told', async () => {
  const { made, state } = rounds([]);
  await made.next();
  const { promise, resolve } = Promise.withResolvers<string>();
  const during = made.during(promise);
  state.request = 7;
  await expect.poll(() => state.ended.at(-1)?.request, { timeout: 5_000 }).toBe(7);
  resolve('done');
  expect(await during).toBe('done');
  expect(state.ended).toHaveLength(2);
  const failing = made.during(promise.then(() => Promise.reject(new Error('gone'))));
  await expect(failing).rejects.toThrow('gone');
});
