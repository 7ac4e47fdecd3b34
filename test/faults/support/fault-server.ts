import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessBody, ProcessesBody } from '../../../router/control/types.ts';
import type { LogRecord } from '../../../runtime/contract/log.ts';
import { eventually } from '../../support/deadline.ts';
import { fetchFrom, type HttpRequest, type HttpResponse } from '../../support/http.ts';
import { pushTree, startServe, type Serve } from '../../support/serve.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';
import { startNeighbours, type NeighbourReport } from './neighbours.ts';
import { record, type Promised } from './record.ts';

/** An app to make: its name, and files beside the ones of `test/fixtures/faults/app`. */
export type FaultApps = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A real server with apps that fail, and one that does not. */
export interface FaultServer extends AsyncDisposable {
  readonly serve: Serve;
  /** A request through the gateway. */
  ask(app: string, request: HttpRequest): Promise<HttpResponse>;
  /** What `fnrun ps` knows of an app. */
  ps(app: string): Promise<ProcessBody>;
  pidOf(app: string): Promise<number>;
  /** Resolves with the pid of the host that serves after `pid` has ended. */
  nextHost(app: string, pid: number): Promise<number>;
  /** The app's log so far. */
  logs(app: string): Promise<LogRecord[]>;
  /** The first line, past or to come, that `match` accepts. */
  logged(app: string, match: (record: LogRecord) => boolean): Promise<LogRecord>;
  /** Does `work` while neighbours in `app` and in another app are asked; enters the figures in the table. */
  during<T>(app: string, row: Promised, work: () => Promise<T>): Promise<NeighbourReport<T>>;
}

const fixtures = join(import.meta.dirname, '../../fixtures/faults');
/** The app that must notice nothing. */
const calm = 'calm';

/** Starts `fnrun serve`, pushes the apps to it, and calls what the prober will ask. */
export async function startFaultServer(
  apps: FaultApps,
  { env = {} }: { env?: Record<string, string> } = {},
): Promise<FaultServer> {
  const stack = new AsyncDisposableStack();
  try {
    const serve = await startServe({ env });
    stack.defer(() => serve.stop());
    const folder = await makeTempDir('ff-');
    stack.defer(() => folder.remove());
    const all: FaultApps = { [calm]: {}, ...apps };
    for (const [name, files] of Object.entries(all)) {
      const dir = join(folder.path, name);
      await cp(join(fixtures, name === calm ? 'calm' : 'app'), dir, { recursive: true });
      await writeTree(dir, files);
      await pushTree(dir, await serve.createApp(name));
    }
    return Object.assign(faultServer(serve), { [Symbol.asyncDispose]: () => stack.disposeAsync() });
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** What is asked of a server whose app `calm` is there. */
export function faultServer(serve: Serve): Omit<FaultServer, typeof Symbol.asyncDispose> {
  const ask: FaultServer['ask'] = (app, request) =>
    fetchFrom(serve.gateway, {
      ...request,
      headers: [['Host', `${app}.localhost`], ...(request.headers ?? [])],
    });
  const ps: FaultServer['ps'] = async (app) => {
    const control = { socketPath: join(serve.home, 'run/control.sock') };
    const { apps } = (await fetchFrom(control, { path: '/v1/ps' })).json() as ProcessesBody;
    const found = apps.find((entry) => entry.app === app);
    if (found === undefined) throw new Error(`fnrun ps does not know ${app}`);
    return found;
  };
  const logs: FaultServer['logs'] = async (app) => {
    const text = await readFile(join(serve.home, `logs/${app}.ndjson`), 'utf8').catch(() => '');
    // The last line may be half written.
    return text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LogRecord);
  };
  return {
    serve,
    ask,
    ps,
    pidOf: (app) => eventually(async () => (await ps(app)).pid, { deadlineMs: 15_000 }),
    nextHost: (app, pid) =>
      eventually(
        async () => {
          const { state, pid: now } = await ps(app);
          return state === 'running' && now !== pid ? now : null;
        },
        { deadlineMs: 20_000 },
      ),
    logs,
    logged: (app, match) => eventually(async () => (await logs(app)).find(match), { deadlineMs: 15_000 }),
    async during(app, row, work) {
      const body = (name: string): string => `{"app":"${name}"}`;
      const target = (name: string, asked: string) => ({
        name,
        at: serve.gateway,
        path: '/steady',
        host: `${asked}.localhost`,
        body: body(asked),
      });
      // Warm before they are measured.
      for (const asked of [app, calm])
        await eventually(async () => (await ask(asked, { path: '/steady' })).status === 200);
      await using neighbours = await startNeighbours([
        target('same app', app),
        target('other app', calm),
        { ...target('other app, socket', calm), at: serve.appSocket(calm) },
      ]);
      const report = await neighbours.during(work);
      record(row, report);
      return report;
    },
  };
}
