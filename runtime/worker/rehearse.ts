import { MessageChannel } from 'node:worker_threads';
import { toWorker } from '../channel/frames.ts';
import type { Assignment } from '../channel/frames.ts';
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

/**
 * Serves a few invocations of a function of its own, whose answers go nowhere: what a first
 * invocation would wait for (the module loader, functions that V8 has not compiled) is done
 * while the thread is parked. `wanted` is asked before each step: a thread that got its function stops.
 */
export async function rehearse(wanted: () => boolean): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  try {
    if (!wanted()) return;
    const outbox = new Outbox(port1);
    const loaded = (await import(module)) as Record<string, unknown>;
    if (!wanted()) return;
    const server = new FunctionServer({ assignment, module: loaded, outbox, logs: new LogChannel(outbox) });
    for (let id = 1; id <= 5 && wanted(); id++) {
      const headers = 'Host: localhost\r\nAccept: */*\r\n';
      server.receive([toWorker.invoke, id, 'GET', 'http://localhost/', headers, null, null, 'rehearsal', 1_000, '']);
      await new Promise((resolve) => setImmediate(resolve));
    }
    outbox.close();
  } finally {
    port1.close();
    port2.close();
  }
}
