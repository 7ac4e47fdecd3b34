import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createControlClient } from '../../cli/control-client.ts';
import { CertificateStore } from '../../deploy/sync/certificates/store.ts';
import { createNginxPart } from '../../deploy/sync/nginx/part.ts';
import { reloadNginx } from '../../deploy/sync/nginx/reload.ts';
import type { Ask, SlowPart, SyncPart } from '../../deploy/sync/part.ts';
import { runSync } from '../../deploy/sync/run-sync.ts';
import type { ServerFile } from '../../deploy/sync/server-file.ts';
import type { SyncOutcome } from '../../router/control/domain-types.ts';
import { writeTree } from './temp-dir.ts';
import { nginxFacts, startRendered, type RenderedNginx } from './nginx.ts';

/** Root's side of a server, with an nginx of its own on free ports. */
export interface SyncedServer extends AsyncDisposable {
  nginx: RenderedNginx;
  certificates: CertificateStore;
  /** ACME answers are below it. */
  acme: string;
  nginxPart: SyncPart;
  /** How often nginx was told to reload. */
  reloads: number;
  sync(options?: { slow?: readonly SlowPart[]; ask?: Ask }): Promise<SyncOutcome>;
}

/** What setup would have written. */
export async function startSynced(
  home: string,
  { server, now = Date.now, httpPort }: { server: Partial<ServerFile>; now?: () => number; httpPort?: number },
): Promise<SyncedServer> {
  const dir = await mkdtemp(join(tmpdir(), 'fn-root-'));
  await writeTree(dir, { 'server.json': JSON.stringify(server), 'acme/.keep': '' });
  const certificates = new CertificateStore({ dir: join(dir, 'tls'), now });
  const usual = await nginxFacts();
  const facts = { ...usual, places: { ...usual.places, acme: join(dir, 'acme') } };
  const nginx = await startRendered({ ...facts, tls: await certificates.fallback() }, [], { httpPort });
  const synced: SyncedServer = {
    nginx,
    certificates,
    acme: join(dir, 'acme'),
    reloads: 0,
    nginxPart: createNginxPart({
      facts,
      judge: facts.build,
      dir: nginx.dir,
      home: { run: join(home, 'run'), apps: join(home, 'apps') },
      certificates,
      place: nginx.place,
      reload: async () => {
        synced.reloads += 1;
        await reloadNginx({ pidFile: join(nginx.dir, 'nginx.pid'), errorLog: join(nginx.dir, 'error.log') });
      },
      loaded: {
        read: () => certificates.readFile('.loaded'),
        write: (text) => certificates.writeFile('.loaded', text),
      },
    }),
    sync: async ({ slow = [], ask = controlOf(home) } = {}) =>
      await runSync({
        run: join(home, 'run'),
        serverFile: join(dir, 'server.json'),
        ask,
        parts: [synced.nginxPart],
        slow,
        log: () => undefined,
        now,
        signal: new AbortController().signal,
      }),
    [Symbol.asyncDispose]: async () => {
      await nginx[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return synced;
}

function controlOf(home: string): Ask {
  const client = createControlClient(home);
  return async (method, path, body) => await client.request(method, path, { body });
}

/** All problems of a run, as lines. */
export function problemsOf({ parts }: SyncOutcome): string[] {
  return parts.flatMap(({ problems }) => problems.map(({ subject, message }) => `${subject}: ${message}`));
}

/** What root told the server. */
export async function readOutcome(home: string): Promise<SyncOutcome> {
  return JSON.parse(await readFile(join(home, 'run/sync.json'), 'utf8')) as SyncOutcome;
}
