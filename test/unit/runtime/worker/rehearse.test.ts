import { expect, test } from 'vitest';
import { toHost } from '../../../../runtime/channel/frames.ts';
import { partsOf } from '../../../../runtime/channel/response-start.ts';
import { installFetch } from '../../../../runtime/worker/fetch/install.ts';
import { rehearse } from '../../../../runtime/worker/rehearse.ts';

installFetch();

/** Fields of a `respond` frame. */
const length = 7;

test('a rehearsal is answered as a request of a client would be', async () => {
  const frames = await rehearse(() => true);
  expect(frames).toHaveLength(5 * length);
  for (let i = 0; i < 5; i++) {
    const [opcode, id, status, text] = frames.slice(i * length);
    expect([opcode, id, status]).toEqual([toHost.respond, i + 1, 200]);
    expect(JSON.parse(partsOf(text as string).content)).toEqual({ url: 'http://localhost/', host: 'localhost' });
  }
});

test('a rehearsal ends when the thread is wanted', async () => {
  let asked = 0;
  expect(await rehearse(() => ++asked <= 4)).toHaveLength(2 * length);
});
