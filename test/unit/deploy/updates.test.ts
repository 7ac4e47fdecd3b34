import { expect, test } from 'vitest';
import { judgeUpdates, productionBranch } from '../../../deploy/push/updates.ts';

const zero = '0'.repeat(40);
const one = '1'.repeat(40);
const two = '2'.repeat(40);
const main = 'refs/heads/main';
const master = 'refs/heads/master';

const judge = (ref: string, { old = one, now = two, production = main } = {}) =>
  judgeUpdates([{ ref, old, new: now }], { app: 'hello', production })[0];

test.each([
  [[], [], main],
  [[], [main], main],
  [[], [master], master],
  [[], [master, main], main],
  [[master], [], master],
  [[master], [main], main],
  [[main, master], [master], main],
])('productionBranch of branches %j with pushed %j is %s', (branches, pushed, expected) => {
  const updates = pushed.map((ref) => ({ ref, old: zero, new: one }));
  expect(productionBranch(new Set(branches), updates)).toBe(expected);
});

test('judgeUpdates deploys the production branch', () => {
  expect(judge(main)?.kind).toBe('deploy');
  expect(judge(main, { old: zero })?.kind).toBe('deploy');
  expect(judge(master, { production: master })?.kind).toBe('deploy');
});

test('judgeUpdates rejects the deletion of the production branch and says what to do', () => {
  expect(judge(main, { now: zero })).toMatchObject({
    kind: 'reject',
    line: 'main is the production branch of hello and cannot be deleted',
    hint: 'to take the app down: fnrun apps remove hello',
  });
});

test('judgeUpdates gives a branch a preview when there are some, and it is pushed alone', () => {
  const update = { ref: 'refs/heads/topic', old: one, new: two };
  const context = { app: 'hello', production: main, previews: true };
  expect(judgeUpdates([update], context)).toEqual([{ kind: 'preview', update }]);
  expect(judgeUpdates([{ ...update, ref: 'refs/tags/v1' }], context)[0]?.kind).toBe('store');
  expect(judgeUpdates([{ ...update, new: zero }], context)[0]).toMatchObject({ kind: 'store', label: 'deleted' });
  expect(judgeUpdates([update, { ...update, ref: main }], context).map(({ kind }) => kind)).toEqual([
    'store',
    'deploy',
  ]);
});

test.each([
  ['refs/heads/topic', two, 'stored', 'branch topic, not deployed: only main is'],
  ['refs/heads/topic', zero, 'deleted', 'branch topic'],
  ['refs/heads/master', two, 'stored', 'branch master, not deployed: only main is'],
  ['refs/tags/v1', two, 'stored', 'tag v1, not deployed: only main is'],
  ['refs/tags/v1', zero, 'deleted', 'tag v1'],
  ['refs/notes/x', two, 'stored', 'refs/notes/x, not deployed: only main is'],
])('judgeUpdates accepts %s at %s as %s with one line', (ref, now, label, line) => {
  expect(judge(ref, { now })).toMatchObject({ kind: 'store', label, line });
});
