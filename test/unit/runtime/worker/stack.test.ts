import { expect, test } from 'vitest';
import { describeError } from '../../../../runtime/worker/stack.ts';

const releaseDir = '/srv/releases/r1';

test('a client whose text is in a message cannot make the message one that cannot be read', () => {
  for (const line of ['    at file:///a%252fb%2fc:1:1', '    at file://elsewhere/a:1:1', '    at file:///%:1:1']) {
    const { message, stack } = describeError(new Error(`unknown name: x\n${line}`), releaseDir);
    expect(message).toBe(`Error: unknown name: x\n${line}`);
    expect(stack).toContain(line);
  }
});

test('whatever is thrown is described, and nothing is thrown for it', () => {
  const { proxy, revoke } = Proxy.revocable(new Error('words'), {});
  revoke();
  const getter = Object.defineProperty(new Error('words'), 'stack', {
    get() {
      throw new Error('from a getter');
    },
  });
  for (const thrown of [proxy, getter]) {
    expect(describeError(thrown, releaseDir)).toEqual({
      message: 'What was thrown cannot be shown',
      stack: null,
      place: null,
    });
  }
  expect(describeError(null, releaseDir).message).toBe('Thrown value is no Error: null');
});
