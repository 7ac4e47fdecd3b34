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

test('Account leaves room for the verdict when a tool says too much', async () => {
  const account = new Account();
  for (let n = 0; n < deployLimits.accountLines; n += 1) account.note('added a package');
  account.write('rejected');
  account.end(false);
  const events = await collect(account);
  expect(events).toHaveLength(deployLimits.accountNotes + 2);
  expect(events.at(-2)).toEqual({ type: 'line', text: 'rejected' });
});

test('Account hands a pipe the lines before it and after it', () => {
  const account = new Account();
  const lines: string[] = [];
  account.write('one');
  account.pipe((line) => lines.push(line));
  account.write('two\nthree');
  account.end(true);
  account.write('never');
  expect(lines).toEqual(['one', 'two', 'three']);
});
