import { MessageChannel } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { toHost, toWorker } from '../../../../runtime/channel/frames.ts';
import type { FrameField } from '../../../../runtime/channel/frames.ts';
import { Outbox } from '../../../../runtime/channel/outbox.ts';
import { invocationLimits } from '../../../../runtime/contract/limits.ts';
import { LogChannel } from '../../../../runtime/worker/logs.ts';
import { FunctionServer } from '../../../../runtime/worker/serve.ts';
import { eventually } from '../../../support/deadline.ts';

/** A worker's server without its thread; `frames` is what it has sent to its host. */
function serve(module: Record<string, unknown>): { server: FunctionServer; frames: FrameField[] } {
  const { port1, port2 } = new MessageChannel();
  const frames: FrameField[] = [];
  port2.on('message', (batch: FrameField[]) => frames.push(...batch));
  onTestFinished(() => port1.close());
  const outbox = new Outbox(port1);
  const place = { app: 'a', release: 'r', releaseDir: '/', name: 'index', route: '/', bundle: '', commonjs: false };
  const assignment = { ...place, settings: {}, defaults: {}, env: {}, databases: {}, dev: false };
  return { server: new FunctionServer({ assignment, module, outbox, logs: new LogChannel(outbox) }), frames };
}

const upgrade = (id: number): FrameField[] => [toWorker.upgrade, id, 'rhttp://a/', 1, 1, 10, null, 1_000, []];
const invoke = (id: number): FrameField[] => [toWorker.invoke, id, 0, 'rhttp://a/', 1, 1, 10, null, null, 1_000];

test('a socket hears of its close behind handlers that compute', async () => {
  const closes: number[] = [];
  const { server, frames } = serve({
    default: () => {
      for (const until = performance.now() + invocationLimits.sliceMs + 5; performance.now() < until;);
      return new Response();
    },
    websocket: (socket: WebSocket) => socket.addEventListener('close', ({ code }) => closes.push(code)),
  });
  server.receive(upgrade(1));
  await eventually(() => frames.includes(toHost.accept));
  // The second one waits for its turn, and the abort is taken out of turn: before the close.
  server.receive([...invoke(2), ...invoke(3)]);
  server.receive([toWorker.closed, 1, 1006, '', null, toWorker.abort, 1, 0]);
  await eventually(() => closes.length > 0);
  expect(closes).toEqual([1006]);
});

test('an upgrade that is aborted while it is asked opens no socket', async () => {
  let answer = (): void => {};
  const opened: unknown[] = [];
  const { server, frames } = serve({
    upgrade: () => new Promise<void>((resolve) => (answer = resolve)),
    websocket: (socket: WebSocket) => opened.push(socket),
  });
  server.receive(upgrade(1));
  server.receive([toWorker.abort, 1, 0]);
  answer();
  await eventually(() => frames.includes(toHost.settled));
  expect([opened, frames]).toEqual([[], [toHost.aborted, 1, toHost.settled, 1]]);
});
