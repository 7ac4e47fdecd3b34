import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import type { Assignment, FrameField } from '../channel/frames.ts';
import { writeInvoke } from '../channel/invoke-frame.ts';
import type { InvokeFields } from '../channel/invoke-frame.ts';
import { Outbox } from '../channel/outbox.ts';
import { LogChannel } from './logs.ts';
import { FunctionServer } from './serve.ts';

const module = `data:text/javascript,export default (request) => Response.json({ url: request.url, host: request.headers.get('host') })`;

const assignment: Assignment = {
  app: 'rehearsal',
  release: '',
  releaseDir: '/',
  name: 'index',
  route: '/',
  bundle: '',
  commonjs: false,
  settings: {},
  defaults: {},
  env: {},
  databases: {},
  dev: false,
};

const request: InvokeFields = {
  requestId: 'rehearsal',
  clientAddress: '127.0.0.1',
  url: 'http://localhost/',
  headerLines: 'Host: localhost\r\nAccept: */*\r\n',
  method: 'GET',
  params: null,
  body: null,
  timeoutMs: 1_000,
};

/**
 * Serves a few invocations of a function of its own, whose answers go nowhere: what a first
 * invocation would wait for (the module loader, functions that V8 has not compiled) is done
 * while the thread is parked. `wanted` is asked before each step: a thread that got its function stops. Resolves with the
 * frames that a host would have got.
 */
export async function rehearse(wanted: () => boolean): Promise<FrameField[]> {
  const { port1, port2 } = new MessageChannel();
  const answers: FrameField[] = [];
  try {
    if (!wanted()) return answers;
    const outbox = new Outbox(port1);
    const loaded = (await import(module)) as Record<string, unknown>;
    if (!wanted()) return answers;
    const server = new FunctionServer({ assignment, module: loaded, outbox, logs: new LogChannel(outbox) });
    for (let id = 1; id <= 5 && wanted(); id++) {
      const batch: FrameField[] = [];
      writeInvoke(batch, id, request);
      server.receive(batch);
      await new Promise((resolve) => setImmediate(resolve));
    }
    outbox.flush();
    outbox.close();
    for (let got = receiveMessageOnPort(port2); got !== undefined; got = receiveMessageOnPort(port2)) {
      answers.push(...(got.message as FrameField[]));
    }
    return answers;
  } finally {
    port1.close();
    port2.close();
  }
}
