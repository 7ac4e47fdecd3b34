import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessBody, ProcessesBody } from '../../router/control/types.ts';
import { fetchFrom } from '../support/http.ts';
import { pushTree, startServe, type Serve } from '../support/serve.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';

/** A real server with one app, which is all that its gateway serves. */
export interface SoakApp extends AsyncDisposable {
  serve: Serve;
  /** Of the gateway. */
  url: string;
  daemonPid: number;
  /** Pushes a version of `/version`. */
  push(version: string): Promise<void>;
  /** A request of the control API. */
  control(method: string, path: string, body?: unknown): Promise<unknown>;
  ps(): Promise<ProcessBody>;
}

const name = 'soak';

/** Starts a server, and pushes the functions of the fault tests, `files` and `/version` to it. */
export async function startSoakApp(files: Readonly<Record<string, string>> = {}): Promise<SoakApp> {
  const stack = new AsyncDisposableStack();
  const serve = await startServe();
  stack.defer(() => serve.stop());
  const folder = await makeTempDir('fk-');
  stack.defer(() => folder.remove());
  await cp(join(import.meta.dirname, '../fixtures/faults/app'), folder.path, { recursive: true });
  await writeTree(folder.path, files);
  const remote = await serve.createApp(name);
  const control: SoakApp['control'] = async (method, path, body) => {
    const socket = { socketPath: join(serve.home, 'run/control.sock') };
    const headers = [['content-type', 'application/json']] as const;
    const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) };
    const response = await fetchFrom(socket, { method, path, ...sent, deadlineMs: 120_000 });
    if (response.status >= 400) throw new Error(`${method} ${path}: ${response.status} ${response.text}`);
    return response.json();
  };
  const push: SoakApp['push'] = async (version) => {
    const source = `export const config = { minWorkers: 1 };\nexport default () => new Response('version ${version}');\n`;
    await writeTree(folder.path, { 'functions/version/index.ts': source });
    await pushTree(folder.path, remote);
  };
  await push('0');
  return {
    serve,
    url: serve.cli.ready,
    daemonPid: serve.cli.child.pid!,
    push,
    control,
    ps: async () => {
      const { apps } = (await control('GET', '/v1/ps')) as ProcessesBody;
      return apps[0]!;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
