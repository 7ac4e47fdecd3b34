import { expect, test } from 'vitest';
import { httpLimits } from '../../../../runtime/contract/limits.ts';
import { createStreamedBody, readWholeBody } from '../../../../runtime/worker/body-source.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (of: Uint8Array): string => new TextDecoder().decode(of);

function streamed() {
  let granted = 0;
  const { source, body } = createStreamedBody({ grant: (more) => void (granted += more) });
  return { source, body, granted: () => granted };
}

test('collect takes what came before and what comes after, and lets more come for each', async () => {
  const { source, body, granted } = streamed();
  source.push(bytes('a'));
  source.push(bytes('bc'));
  expect(granted()).toBe(0);
  const all = body.collect();
  expect(granted()).toBe(3 + 2 * httpLimits.chunkOverheadBytes);
  source.push(bytes('def'));
  source.push(null);
  expect(textOf(await all)).toBe('abcdef');
  expect(granted()).toBe(6 + 3 * httpLimits.chunkOverheadBytes);
});

test('collect resolves when all had come before, with a buffer of its own', async () => {
  const { source, body } = streamed();
  source.push(bytes('ab'));
  source.push(null);
  const all = await body.collect();
  expect([textOf(all), all.buffer.byteLength]).toEqual(['ab', 2]);
  const none = streamed();
  none.source.push(null);
  expect((await none.body.collect()).byteLength).toBe(0);
});

test('collect rejects when the body fails, before and after', async () => {
  const before = streamed();
  before.source.push(bytes('a'));
  before.source.fail('ended early');
  await expect(before.body.collect()).rejects.toThrow(new TypeError('ended early'));
  const after = streamed();
  const all = after.body.collect();
  after.source.push(bytes('a'));
  after.source.fail('ended early');
  after.source.push(bytes('b'));
  after.source.push(null);
  await expect(all).rejects.toThrow(new TypeError('ended early'));
});

test('readWholeBody takes every kind of body', async () => {
  const { source, body } = streamed();
  source.push(bytes('abc'));
  source.push(null);
  expect(textOf(await readWholeBody(body))).toBe('abc');
  expect(textOf(await readWholeBody(bytes('d')))).toBe('d');
  expect((await readWholeBody(null)).byteLength).toBe(0);
});
