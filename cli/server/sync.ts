import { realpathSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homePaths } from '../../deploy/paths.ts';
import { holdFile } from '../../deploy/file-lock.ts';
import { hasAddress } from '../../deploy/sync/certificates/lookup.ts';
import { createCertificatesPart } from '../../deploy/sync/certificates/part.ts';
import { CertificateStore } from '../../deploy/sync/certificates/store.ts';
import { databaseSocket } from '../../deploy/server/steps/database/engine.ts';
import { createDatabasesPart } from '../../deploy/sync/databases/part.ts';
import { findNginx } from '../../deploy/sync/nginx/facts.ts';
import { createNginxPart } from '../../deploy/sync/nginx/part.ts';
import { reloadNginx } from '../../deploy/sync/nginx/reload.ts';
import { syncPlaces } from '../../deploy/sync/places.ts';
import { runSync, type SyncOptions } from '../../deploy/sync/run-sync.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { domainLimits } from '../../runtime/contract/limits.ts';
import type { CommandContext } from '../command.ts';
import { createControlClient } from '../control-client.ts';
import { serviceHome } from '../home.ts';

/**
 * `fnrun server sync`: what root does for the server, started by fnrun-sync.service. It takes no arguments: who starts it
 * can lead it nowhere else. Resolves to 1 when something could not be done.
 */
export async function syncServer({
  out,
  json,
  signal,
}: Pick<CommandContext, 'out' | 'json' | 'signal'>): Promise<number> {
  if (process.getuid?.() !== 0) {
    throw new FnrunError('FN_USAGE', 'fnrun server sync is for root', { hint: 'sudo systemctl start fnrun-sync' });
  }
  await mkdir(syncPlaces.tls, { recursive: true, mode: 0o700 });
  const lock = holdFile(`${syncPlaces.tls}/.lock`);
  if (lock === null) {
    throw new FnrunError('FN_BUSY', 'Another fnrun server sync is at work', { hint: 'wait for it' });
  }
  try {
    // The home may be a link that root made; what is in it is the server's user's.
    const home = homePaths(realpathSync(serviceHome));
    const client = createControlClient(home.home, { key: null });
    const outcome = await runSync({
      run: home.run,
      serverFile: syncPlaces.serverFile,
      ask: (method, path, body) => client.request(method, path, { body, deadlineMs: domainLimits.askMs }),
      ...(await makeParts(home)),
      log: (line) => json || out(line),
      now: Date.now,
      signal,
    });
    if (json) out(JSON.stringify(outcome, null, 2));
    return outcome.parts.some(({ problems }) => problems.length > 0) ? 1 : 0;
  } finally {
    lock.release();
  }
}

/** Everything that root does, in its order. */
async function makeParts(home: { run: string; apps: string }): Promise<Pick<SyncOptions, 'parts' | 'slow'>> {
  const certificates = new CertificateStore({ dir: syncPlaces.tls, now: Date.now });
  const { facts, judge } = await findNginx();
  const { pid, errorLog } = facts.places;
  const nginx = createNginxPart({
    facts,
    judge,
    dir: syncPlaces.nginx,
    home,
    certificates,
    reload: () => reloadNginx({ pidFile: pid, errorLog }),
    loaded: {
      read: () => certificates.readFile('.loaded'),
      write: (text) => certificates.writeFile('.loaded', text),
    },
  });
  const certificatesPart = createCertificatesPart({
    store: certificates,
    webroot: facts.places.acme,
    hasAddress,
  });
  // Databases first: a push may wait for one.
  return { parts: [createDatabasesPart({ socketPath: databaseSocket }), nginx], slow: [certificatesPart] };
}
