import { expect, test } from 'vitest';
import { startHost } from '../../support/host.ts';
import { fetchFrom } from '../../support/http.ts';

const limited = (body: string): string =>
  `export const config = { maxResponseBytes: 1000 }; export default () => ${body};`;
const stream = (chunks: number): string =>
  `new Response(new ReadableStream({ start(c) { for (let i = 0; i < ${chunks}; i++) c.enqueue(new Uint8Array(100)); c.close(); } }))`;

test('response larger than maxResponseBytes is a 502 while its size is known, and cut off when it is streamed', async () => {
  const { target, deploy, logged } = await startHost();
  await deploy({
    '/text': limited(`new Response('x'.repeat(1001))`),
    '/bytes': limited(`new Response(new Uint8Array(200_000))`),
    '/fits': limited(`new Response('x'.repeat(1000))`),
    '/streamed': limited(stream(11)),
    '/streamed-fits': limited(stream(10)),
  });
  for (const path of ['/text', '/bytes']) {
    const { status, text } = await fetchFrom(target, { path });
    expect([path, status, text.includes('FN_BAD_RESPONSE')]).toEqual([path, 502, true]);
  }
  expect((await fetchFrom(target, { path: '/fits' })).text).toHaveLength(1000);
  expect((await fetchFrom(target, { path: '/streamed-fits' })).body).toHaveLength(1000);
  await expect(fetchFrom(target, { path: '/streamed' })).rejects.toThrow();
  await logged((record) => record.message.includes('its body is larger than maxResponseBytes = 1000'));
  await logged((record) => record.message.includes('it is larger than maxResponseBytes'));
});
