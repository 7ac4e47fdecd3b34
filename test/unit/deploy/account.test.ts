import { expect, test } from 'vitest';
import { Account } from '../../../deploy/account/account.ts';
import { deployLimits } from '../../../runtime/contract/limits.ts';

async function collect(account: Account, signal = new AbortController().signal) {
  const events = [];
  for await (const event of account.follow(signal)) events.push(event);
  return events;
}

test('Account hands every reader all lines, early or late', async () => {
  const account = new Account();
  const early = collect(account);
  account.write('one\ntwo');
  account.end(true);
  account.write('never');
  const all = [
    { type: 'line', text: 'one' },
    { type: 'line', text: 'two' },
    { type: 'end', ok: true },
  ];
  expect(await early).toEqual(all);
  expect(await collect(account)).toEqual(all);
});

test('Account lets a reader go when its signal aborts', async () => {
  const account = new Account();
  const gone = new AbortController();
  const reading = collect(account, gone.signal);
  gone.abort();
  expect(await reading).toEqual([]);
});

test('Account keeps a bounded number of bounded lines', async () => {
  const account = new Account();
  for (let n = 0; n < deployLimits.accountLines + 10; n += 1) account.write('x'.repeat(10_000));
  account.end(false);
  const events = await collect(account);
  expect(events).toHaveLength(deployLimits.accountLines + 1);
  expect(events[0]).toMatchObject({ text: expect.stringMatching(/^x+\.\.\.$/) });
  expect(events.at(-1)).toEqual({ type: 'end', ok: false });
});

test('Account keeps its text without colours', () => {
  const account = new Account({ color: true });
  account.write('\u001b[31mred\u001b[39m');
  expect(account.text()).toBe('red\n');
});
