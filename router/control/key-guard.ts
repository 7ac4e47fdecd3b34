import type { Context, Hono } from 'hono';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { keyHeader } from './key-header.ts';
import type { AccessWanted, Caller, ControlService } from './service.ts';

/** The key that a request names. The socket is for the server's own user only, so nobody else can leave it out. */
export function callerOf(c: Context): Caller {
  return c.req.header(keyHeader) ?? null;
}

/** Lets a request of a key through only when the key may do it; whatever route comes later is behind this. */
export function guardKeys(api: Hono, service: Pick<ControlService, 'authorize'>): void {
  api.use('*', async (c, next) => {
    const caller = callerOf(c);
    if (caller !== null) await service.authorize(caller, wantedOf(c.req.method, c.req.path));
    await next();
  });
}

/** Lists are cut to the apps of the key, and `open` is judged where it is known whether the app exists. */
const own = new Set(['GET /v1/health', 'GET /v1/access', 'GET /v1/apps', 'GET /v1/ps']);

/**
 * What a request wants. A route that is not named here is taken for the most: reading what an app shows is `see`, its env
 * and anything that is no GET is `change`, anything that is about no app is for admins.
 */
export function wantedOf(method: string, path: string): AccessWanted {
  const route = `${method} ${path}`;
  if (own.has(route)) return { right: 'own' };
  if (route === 'POST /v1/apps') return { right: 'create' };
  const [, app, below] = /^\/v1\/apps\/([^/]+)(?:\/([^/]+).*)?$/.exec(path) ?? [];
  if (app === undefined) return { right: 'admin' };
  // An app's name needs no escapes: one with them could be read in two ways.
  if (app.includes('%')) throw new FnrunError('FN_FORBIDDEN', 'The path names no app in its plain form');
  if (below === undefined) return method === 'GET' ? { right: 'see', app } : { right: 'admin' };
  if (method === 'POST' && below === 'open') return { right: 'own' };
  if (method === 'POST' && (below === 'receive' || below === 'activate')) return { right: 'push', app };
  return { right: method === 'GET' && seen.has(below) ? 'see' : 'change', app };
}

const seen = new Set(['deployments', 'domains', 'logs', 'migrations']);
