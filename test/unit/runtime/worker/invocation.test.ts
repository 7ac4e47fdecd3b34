import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { requestText } from '../../../../runtime/channel/request-text.ts';
import { currentInvocation, Invocation, startInvocation } from '../../../../runtime/worker/invocation.ts';

function invocation(requestId: string, { clientAddress = '127.0.0.1', headerLines = 'a: 1\r\n' } = {}): Invocation {
  return new Invocation({
    id: 1,
    method: 'GET',
    request: requestText({ requestId, clientAddress, url: 'http://a.test/b?c', headerLines }),
    params: {},
    deadlineAt: 0,
    windowBytes: 1,
  });
}

test.each([{}, { clientAddress: '' }, { headerLines: '' }, { clientAddress: '::1', headerLines: '' }])(
  'an invocation finds the texts of its request: %j',
  (parts) => {
    const { requestId, clientAddress, url, headerLines } = invocation('id', parts);
    const expected = { requestId: 'id', clientAddress: '127.0.0.1', url: 'http://a.test/b?c', headerLines: 'a: 1\r\n' };
    expect({ requestId, clientAddress, url, headerLines }).toEqual({ ...expected, ...parts });
  },
);

test('startInvocation gives each a context of its own, and leaves the one around as it was', async () => {
  const around = new AsyncLocalStorage<string>();
  const seen: string[] = [];
  const start = async (own: Invocation): Promise<void> => {
    seen.push(`${around.getStore()}`, currentInvocation.getStore()!.requestId);
    around.enterWith(own.requestId);
    await turn();
    seen.push(around.getStore()!, currentInvocation.getStore()!.requestId);
  };
  await around.run('outer', async () => {
    startInvocation(invocation('one'), start);
    startInvocation(invocation('two'), start);
    expect([around.getStore(), currentInvocation.getStore()]).toEqual(['outer', undefined]);
    await turn();
  });
  expect(seen).toEqual(['undefined', 'one', 'undefined', 'two', 'one', 'one', 'two', 'two']);
});

test('startInvocation leaves no context behind when the start throws', () => {
  const start = (): never => {
    throw new Error('no start');
  };
  expect(() => startInvocation(invocation('one'), start)).toThrow('no start');
  expect(currentInvocation.getStore()).toBeUndefined();
});
