import { Hono, type Context } from 'hono';
import { FnrunError, problemOf } from '../../runtime/contract/errors.ts';
import { deployLimits, hostLimits, logLimits } from '../../runtime/contract/limits.ts';
import {
  readActivateBody,
  readChangeAppBody,
  readCreateAppBody,
  readDomainChangeBody,
  readEnvChangeBody,
  readReceiveBody,
  readSwitchBody,
} from './bodies.ts';
import { readAddKeyBody, readOpenBody } from './key-bodies.ts';
import { callerOf, guardKeys } from './key-guard.ts';
import { ndjson } from './ndjson.ts';
import type { SitesBody } from './domain-types.ts';
import type { ControlService, SwitchRequestBody } from './service.ts';
import type { AppsBody, ControlProblem, DeploymentsBody } from './types.ts';
import type { KeysBody } from './key-types.ts';

/** What the control API is made of. */
export interface ControlApiOptions {
  service: ControlService;
  /** Gets what went wrong inside fnrun itself. */
  onError: (error: unknown) => void;
}

/** The control API as a web-standard app: `fetch(request)`. docs/control-api.md lists the routes. */
export function createControlApi({ service, onError }: ControlApiOptions): Hono {
  const api = new Hono({ strict: false });
  api.onError((error) => problemResponse(error, onError));
  api.notFound((c) =>
    problemResponse(new FnrunError('FN_NOT_FOUND', `There is no ${c.req.method} ${c.req.path}`), onError),
  );

  guardKeys(api, service);
  api.use('*', async (c, next) => {
    // A push that was accepted is activated; nothing else begins here any more.
    if (service.isLeaving() && c.req.method !== 'GET' && !c.req.path.endsWith('/activate')) {
      throw new FnrunError('FN_BUSY', 'Another fnrun server is taking over from this one', {
        hint: 'try again in a moment',
      });
    }
    await next();
  });
  api.post('/v1/leave', async (c) => {
    if (callerOf(c) !== null) throw new FnrunError('FN_FORBIDDEN', 'No ssh key may have the server leave');
    return c.json(await service.leave());
  });
  api.get('/v1/health', (c) => c.json(service.health()));
  api.get('/v1/ps', async (c) => c.json(await service.listProcesses(callerOf(c))));
  api.get('/v1/database-budgets', async (c) => c.json(await service.listDatabaseBudgets()));
  addKeyRoutes(api, service);
  addAppRoutes(api, service);
  addDeploymentRoutes(api, service);
  addEnvRoutes(api, service);
  addDomainRoutes(api, service);
  addStreams(api, { service, onError });
  return api;
}

function addKeyRoutes(api: Hono, service: ControlService): void {
  api.get('/v1/access', async (c) => c.json(await service.getAccess(callerOf(c))));
  api.get('/v1/keys', async (c) => c.json({ keys: await service.listKeys() } satisfies KeysBody));
  api.post('/v1/keys', async (c) => c.json(await service.addKey(readAddKeyBody(await json(c))), 201));
  api.delete('/v1/keys/:name', async (c) => {
    await service.removeKey(c.req.param('name'));
    return c.body(null, 204);
  });
  api.post('/v1/apps/:app/open', async (c) => {
    const { service: wanted } = readOpenBody(await json(c));
    return c.json(await service.openRepository(c.req.param('app'), { service: wanted, caller: callerOf(c) }));
  });
  // For what goes past this API, straight to the app: the guard has answered by now.
  api.post('/v1/apps/:app/authorize', async (c) => c.json(await service.getAccess(callerOf(c))));
}

function addAppRoutes(api: Hono, service: ControlService): void {
  api.get('/v1/apps', async (c) => c.json({ apps: await service.listApps(callerOf(c)) } satisfies AppsBody));
  api.post('/v1/apps', async (c) => {
    const { name, branch = null } = readCreateAppBody(await json(c));
    return c.json(await service.createApp(name, { branch, caller: callerOf(c) }), 201);
  });
  api.patch('/v1/apps/:app', async (c) =>
    c.json(await service.changeApp(c.req.param('app'), readChangeAppBody(await json(c)))),
  );
  api.get('/v1/apps/:app', async (c) => c.json(await service.getApp(c.req.param('app'))));
  api.delete('/v1/apps/:app', async (c) => {
    await service.removeApp(c.req.param('app'));
    return c.body(null, 204);
  });
}

function addDeploymentRoutes(api: Hono, service: ControlService): void {
  api.get('/v1/apps/:app/deployments', async (c) => {
    const app = c.req.param('app');
    const limit = readCount(c, { name: 'limit', fallback: 20, max: deployLimits.deploymentsKept });
    return c.json({ app, deployments: await service.listDeployments(app, { limit }) } satisfies DeploymentsBody);
  });
  api.get('/v1/apps/:app/deployments/:id', async (c) =>
    c.json(await service.getDeployment(c.req.param('app'), c.req.param('id'))),
  );
  api.get('/v1/apps/:app/deployments/:id/log', async (c) =>
    c.text(await service.readAccount(c.req.param('app'), c.req.param('id'))),
  );
  api.post('/v1/apps/:app/deployments/:id/cancel', async (c) =>
    c.json(await service.cancelDeployment(c.req.param('app'), c.req.param('id'))),
  );
  api.get('/v1/apps/:app/migrations', async (c) => c.json(await service.listMigrations(c.req.param('app'))));
  for (const source of ['rollback', 'redeploy'] satisfies SwitchRequestBody['source'][]) {
    api.post(`/v1/apps/:app/${source}`, async (c) => {
      const { release = null } = readSwitchBody(await json(c));
      return c.json(await service.switchRelease(c.req.param('app'), { source, release, caller: callerOf(c) }));
    });
  }
}

function addEnvRoutes(api: Hono, service: ControlService): void {
  api.get('/v1/apps/:app/env', async (c) => {
    c.header('cache-control', 'no-store');
    return c.json(
      await service.readEnv(c.req.param('app'), {
        values: isTrue(c.req.query('values')),
        previews: isTrue(c.req.query('previews')),
      }),
    );
  });
  api.post('/v1/apps/:app/env', async (c) => {
    const change = readEnvChangeBody(await json(c));
    const previews = isTrue(c.req.query('previews'));
    return c.json(await service.changeEnv(c.req.param('app'), { ...change, previews, caller: callerOf(c) }));
  });
}

function addDomainRoutes(api: Hono, service: ControlService): void {
  api.get('/v1/sites', (c) => c.json({ sites: service.listSites() } satisfies SitesBody));
  api.get('/v1/apps/:app/domains', async (c) => {
    const fallback = -1;
    const request = readCount(c, { name: 'request', fallback, max: Number.MAX_SAFE_INTEGER });
    return c.json(await service.readDomains(c.req.param('app'), { request: request === fallback ? null : request }));
  });
  api.post('/v1/apps/:app/domains', async (c) =>
    c.json(await service.changeDomains(c.req.param('app'), readDomainChangeBody(await json(c)))),
  );
}

function addStreams(api: Hono, { service, onError }: ControlApiOptions): void {
  api.post('/v1/apps/:app/receive', async (c) => {
    const body = readReceiveBody(await json(c));
    const caller = callerOf(c);
    return ndjson(c.req.raw.signal, (signal) => service.receive(c.req.param('app'), { body, signal, caller }), onError);
  });
  api.post('/v1/apps/:app/activate', async (c) => {
    const body = readActivateBody(await json(c));
    return ndjson(c.req.raw.signal, (signal) => service.activate(c.req.param('app'), { body, signal }), onError);
  });
  api.get('/v1/apps/:app/deployments/:id/follow', (c) => {
    const { app, id } = c.req.param();
    return ndjson(c.req.raw.signal, (signal) => service.followAccount(app, { id, signal }), onError);
  });
  api.get('/v1/apps/:app/logs', (c) => {
    const lines = readCount(c, { name: 'lines', fallback: logLimits.tailLines, max: logLimits.tailLinesMax });
    const query = {
      lines,
      follow: isTrue(c.req.query('follow')),
      function: c.req.query('function') ?? null,
    };
    return ndjson(c.req.raw.signal, (signal) => service.readLogs(c.req.param('app'), { ...query, signal }), onError);
  });
}

function isTrue(query: string | undefined): boolean {
  return query === '1' || query === 'true';
}

async function json(c: Context): Promise<unknown> {
  const text = await readText(c.req.raw);
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FnrunError('FN_BAD_REQUEST', 'The body is no JSON', { cause });
  }
}

// hono's own body limit makes a new Request of the server's, which @hono/node-server allows only
// when it may replace the process's global Request.
async function readText(request: Request): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > hostLimits.controlBodyBytes) {
      throw new FnrunError('FN_BODY_TOO_LARGE', `A body may have ${hostLimits.controlBodyBytes} bytes here`);
    }
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readCount(c: Context, { name, fallback, max }: { name: string; fallback: number; max: number }): number {
  const text = c.req.query(name);
  if (text === undefined) return fallback;
  const count = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (count <= max) return count;
  throw new FnrunError('FN_USAGE', `${name} must be a whole number from 0 to ${max}: it is ${JSON.stringify(text)}`);
}

/** RFC 9457, with fnrun's `code`, and `hint` where there is something to do. */
function problemResponse(error: unknown, onError: (error: unknown) => void): Response {
  if (!(error instanceof FnrunError)) onError(error);
  const known = error instanceof FnrunError ? error : new FnrunError('FN_INTERNAL', 'See the log of the server');
  const problem: ControlProblem = {
    ...problemOf(known.code, { detail: known.message }),
    ...(known.hint !== null && { hint: known.hint }),
  };
  return Response.json(problem, {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
  });
}
