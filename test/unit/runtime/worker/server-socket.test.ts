import { expect, test } from 'vitest';
import { socketLimits } from '../../../../runtime/contract/limits.ts';
import { createServerSocket } from '../../../../runtime/worker/server-socket.ts';

/** A socket whose frames are kept, and what came of its listeners. */
function makeSocket() {
  const frames: unknown[][] = [];
  const failures: unknown[] = [];
  const { socket, control } = createServerSocket({
    url: 'ws://a/',
    protocol: '',
    wire: {
      send: (data) => void frames.push(['send', typeof data === 'string' ? data : [...data]]),
      close: (code, reason) => void frames.push(['close', code, reason]),
      taken: (messages, bytes) => void frames.push(['taken', messages, bytes]),
      failed: (error) => void failures.push(error),
      within: async (promise) => void (await promise),
      waitUntil: (promise) => void frames.push(['waitUntil', promise]),
    },
  });
  return { socket, control, frames, failures };
}

const overhead = socketLimits.messageOverheadBytes;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('bufferedAmount counts what was sent until it has left', () => {
  const { socket, control } = makeSocket();
  socket.send('grün');
  socket.send(new Uint8Array(10));
  expect(socket.bufferedAmount).toBe(15);
  control.sent(5);
  expect(socket.bufferedAmount).toBe(10);
});

test('send beyond the bound closes with 1013 and sends nothing more', () => {
  const { socket, frames } = makeSocket();
  const half = new Uint8Array(socketLimits.bufferedBytes / 2);
  socket.send(half);
  socket.send(half);
  socket.send('after');
  expect(frames.map(([what, code]) => (what === 'close' ? code : what))).toEqual(['send', 1013]);
  expect(socket.readyState).toBe(2);
});

test('a message is taken when it was dispatched; an asynchronous listener keeps its bytes until it is done', async () => {
  const { socket, control, frames } = makeSocket();
  let finish = (): void => {};
  socket.addEventListener('message', ({ data }) =>
    data === 'wait' ? new Promise<void>((resolve) => (finish = resolve)) : undefined,
  );
  control.start();
  control.message('now');
  expect(frames).toEqual([['taken', 1, 3 + overhead]]);
  control.message('wait');
  expect(frames.slice(1)).toEqual([['taken', 1, 0]]);
  finish();
  await turn();
  expect(frames.slice(2)).toEqual([['taken', 0, 4 + overhead]]);
});

test('messages and the close wait for the handler, in order', () => {
  const { socket, control, frames } = makeSocket();
  control.message('a');
  control.message('b');
  control.closed(1001, 'bye', null);
  const seen: unknown[] = [socket.readyState];
  socket.addEventListener('message', ({ data }) => void seen.push(data));
  socket.addEventListener('close', ({ code, reason, wasClean }) => void seen.push([code, reason, wasClean]));
  control.start();
  expect(seen).toEqual([3, 'a', 'b', [1001, 'bye', true]]);
  expect(frames.filter(([what]) => what === 'taken')).toHaveLength(2);
});

test('nothing is dispatched after close(), but credit is given back', () => {
  const { socket, control, frames } = makeSocket();
  const seen: unknown[] = [];
  socket.addEventListener('message', ({ data }) => void seen.push(data));
  control.start();
  socket.close();
  control.message('late');
  expect(seen).toEqual([]);
  expect(frames).toEqual([
    ['close', 0, ''],
    ['taken', 1, 4 + overhead],
  ]);
});

test('a listener that fails is told of and closes with 1011, once', async () => {
  const { socket, control, frames, failures } = makeSocket();
  const thrown = new Error('thrown');
  const rejected = new Error('rejected');
  socket.addEventListener('message', () => {
    throw thrown;
  });
  socket.addEventListener('message', () => Promise.reject(rejected));
  control.start();
  control.message('x');
  await turn();
  expect(failures).toEqual([thrown, rejected]);
  expect(frames.filter(([what]) => what === 'close')).toEqual([['close', 1011, 'the function failed']]);
});

test('a violation comes as error, then close', () => {
  const { socket, control } = makeSocket();
  const seen: string[] = [];
  socket.addEventListener('error', ({ type }) => void seen.push(type));
  socket.addEventListener('close', ({ code, wasClean }) => void seen.push(`${code} ${wasClean}`));
  control.start();
  control.closed(1009, '', 'Max payload size exceeded');
  expect(seen).toEqual(['error', '1009 false']);
});

test('what an asynchronous close listener does is waited for', () => {
  const { socket, control, frames } = makeSocket();
  socket.addEventListener('close', async () => {});
  control.start();
  control.closed(1000, '', null);
  expect(frames).toEqual([['waitUntil', expect.any(Promise)]]);
});

test('a reason without a code is sent with 1000', () => {
  const { socket, frames } = makeSocket();
  socket.close(undefined, 'why');
  expect(frames).toEqual([['close', 1000, 'why']]);
});
