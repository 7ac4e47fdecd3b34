import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { LogRecord } from '../../../runtime/contract/log.ts';
import { LogFile, type LogQuery } from '../../../runtime/supervisor/log-file.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

let path: string;

beforeEach(async () => {
  const dir = await makeTempDir('fn-');
  path = join(dir.path, 'logs/hello.ndjson');
  return dir.remove;
});

const limits = { fileBytes: 4_000_000, filesKept: 3, pendingBytes: 4_000_000, followLines: 100 };
const line = (message: string, fn = 'a'): LogRecord => ({
  time: '2026-01-01T00:00:00.000Z',
  level: 'info',
  app: 'hello',
  function: fn,
  message,
});
const query = (patch: Partial<LogQuery> = {}): LogQuery => ({
  lines: 100,
  follow: false,
  matches: () => true,
  signal: new AbortController().signal,
  ...patch,
});

async function messages(log: LogFile, patch: Partial<LogQuery> = {}): Promise<string[]> {
  const read = [];
  for await (const record of log.read(query(patch))) read.push(record.message);
  return read;
}

test('LogFile gives back what was written, oldest first', async () => {
  const log = new LogFile({ path, app: 'hello', limits });
  log.write(line('one'));
  log.write(line('two'));
  expect(await messages(log)).toEqual(['one', 'two']);
  await log.close();
  const text = await readFile(path, 'utf8');
  expect(text.split('\n').map((each) => (each === '' ? '' : JSON.parse(each).message))).toEqual(['one', 'two', '']);
});

test('LogFile gives the newest matching lines only', async () => {
  const log = new LogFile({ path, app: 'hello', limits });
  for (let n = 0; n < 5_000; n += 1) log.write(line(`${n} ${'ä'.repeat(n % 90)}`, n % 2 === 0 ? 'even' : 'odd'));
  const read = await messages(log, { lines: 3, matches: (record) => record.function === 'even' });
  expect(read.map((message) => Number.parseInt(message, 10))).toEqual([4_994, 4_996, 4_998]);
  expect(await messages(log, { lines: 0 })).toEqual([]);
  await log.close();
});

test('LogFile turns over full files and reads across them', async () => {
  const log = new LogFile({ path, app: 'hello', limits: { ...limits, fileBytes: 300 } });
  for (let n = 0; n < 13; n += 1) {
    log.write(line(`m${n}`));
    // Each line its own flush.
    await messages(log, { lines: 0 });
  }
  expect((await readdir(join(path, '..'))).toSorted()).toEqual(['hello.ndjson', 'hello.ndjson.1', 'hello.ndjson.2']);
  const read = await messages(log);
  expect(read.at(-1)).toBe('m12');
  expect(read.length).toBeGreaterThan(3);
  expect(read.length).toBeLessThan(13);
  await log.close();
});

test('LogFile follows without a gap and without anything twice', async () => {
  const log = new LogFile({ path, app: 'hello', limits });
  log.write(line('0'));
  const stop = new AbortController();
  const read: number[] = [];
  const reading = (async () => {
    for await (const record of log.read(query({ follow: true, signal: stop.signal }))) {
      read.push(Number(record.message));
      if (record.message === '50') stop.abort();
    }
  })();
  for (let n = 1; n <= 50; n += 1) {
    log.write(line(String(n)));
    if (n % 7 === 0) await messages(log, { lines: 0 });
  }
  await reading;
  expect(read).toEqual(Array.from({ length: 51 }, (_, n) => n));
  await log.close();
});

test('LogFile ends its followers when it is closed', async () => {
  const log = new LogFile({ path, app: 'hello', limits });
  log.write(line('one'));
  const reading = messages(log, { follow: true });
  await messages(log);
  await log.close();
  expect(await reading).toEqual(['one']);
});

test('LogFile drops and counts what comes faster than the disk takes it', async () => {
  const log = new LogFile({ path, app: 'hello', limits: { ...limits, pendingBytes: 1_000 } });
  for (let n = 0; n < 100; n += 1) log.write(line(`m${n}`));
  const read = await messages(log);
  expect(read.at(-1)).toMatch(/^9\d log lines dropped: the disk does not keep up$/);
  await log.close();
});

test('LogFile tells a slow follower how much it missed', async () => {
  const log = new LogFile({ path, app: 'hello', limits: { ...limits, followLines: 5 } });
  const stop = new AbortController();
  const iterator = log.read(query({ follow: true, signal: stop.signal }))[Symbol.asyncIterator]();
  const first = iterator.next();
  await messages(log);
  for (let n = 0; n < 20; n += 1) log.write(line(`m${n}`));
  await messages(log, { lines: 0 });
  const read = [(await first).value?.message];
  for (let n = 0; n < 5; n += 1) read.push((await iterator.next()).value?.message);
  expect(read.slice(0, 5)).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
  expect(read[5]).toBe('15 log lines dropped: this reader is too slow');
  stop.abort();
  await iterator.return();
  await log.close();
});
