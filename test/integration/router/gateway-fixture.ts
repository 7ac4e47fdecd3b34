import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGateway } from '../../../router/gateway/gateway.ts';
import type { Gateway } from '../../../router/gateway/gateway.ts';
import type { GatewayApp } from '../../../router/gateway/resolve-host.ts';

/** A gateway on a port of its own, before upstreams on unix sockets. */
export interface GatewayFixture extends AsyncDisposable {
  port: number;
  gateway: Gateway;
  apps: GatewayApp[];
  /** Starts an http server on the socket of a new app. */
  startApp(name: string, options: AppOptions): Promise<Server>;
  /** Adds an app whose socket nobody listens on. */
  addApp(name: string, options?: Partial<GatewayApp>): GatewayApp;
}

export interface AppOptions extends Partial<GatewayApp> {
  handler?: RequestListener;
}

export async function startGateway({
  drainMs = 5_000,
  closeMs = 100,
  inFlightPerApp = 100,
  socketIdleMs = 60_000,
  idleMs = 60_000,
} = {}): Promise<GatewayFixture> {
  const dir = await mkdtemp(join(tmpdir(), 'fnrun-gw-'));
  const apps: GatewayApp[] = [];
  const servers: Server[] = [];
  const limits = { drainMs, closeMs, inFlightPerApp, socketIdleMs, idleMs };
  const gateway = createGateway({ apps: () => apps, version: '1.2.3', ...limits });
  const { port } = await gateway.listen({ host: '127.0.0.1', port: 0 });
  const addApp = (name: string, options: Partial<GatewayApp> = {}): GatewayApp => {
    const { domains = [], live = true, socketPath = join(dir, `${name}.sock`) } = options;
    const app = { name, domains, live, socketPath };
    apps.push(app);
    return app;
  };
  return {
    port,
    gateway,
    apps,
    addApp,
    async startApp(name, { handler, ...options }) {
      const app = addApp(name, options);
      const server = createServer(handler ?? ((_req, res) => res.end(name)));
      servers.push(server);
      server.listen(app.socketPath);
      await once(server, 'listening');
      return server;
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
      await gateway.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A gateway before one app. */
export async function gatewayTo(handler: RequestListener): Promise<GatewayFixture> {
  const fixture = await startGateway();
  await fixture.startApp('app', { handler });
  return fixture;
}

/** Answers with what arrived. */
export const echo: RequestListener = (req, res) => {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ method: req.method, rawHeaders: req.rawHeaders, headers: req.headers, body }));
  });
};
