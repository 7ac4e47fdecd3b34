import { FnrunError } from '../../runtime/contract/errors.ts';
import type { Sql } from './sqlite.ts';
import type { Store } from './store.ts';

/** The store's host names of apps. */
export function domains(sql: Sql): Pick<Store, 'listDomains' | 'changeDomains' | 'listClaims'> {
  const add = (app: string, { name, atMs }: { name: string; atMs: number }): void => {
    const owner = sql.get('SELECT app FROM domains WHERE name = ?', name)?.['app'];
    if (owner !== undefined && owner !== app) {
      throw new FnrunError('FN_DOMAIN_TAKEN', `${name} belongs to the app ${owner as string}`, {
        hint: `take it from there first: fnrun domains ${owner as string} remove ${name}`,
      });
    }
    sql.run(
      'INSERT INTO domains (name, app, asked_at_ms) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET asked_at_ms = ?3',
      name,
      app,
      atMs,
    );
  };
  return {
    listDomains: async (app) =>
      sql
        .all('SELECT name, asked_at_ms FROM domains WHERE app = ? ORDER BY name', app)
        .map((row) => ({ name: row['name'] as string, askedAtMs: row['asked_at_ms'] as number })),
    changeDomains: async (app, change) =>
      sql.atOnce(() => {
        for (const name of change.remove) sql.run('DELETE FROM domains WHERE name = ? AND app = ?', name, app);
        for (const name of change.add) add(app, { name, atMs: change.atMs });
      }),
    listClaims: async () =>
      new Map(sql.all('SELECT name, app FROM claims').map((row) => [row['name'] as string, row['app'] as string])),
  };
}

/**
 * Runs `goLive`, which makes another release of the app live, and has names follow: those that it no longer asks for are
 * free, and a free one is of the first app, by name, whose live release asks for it. What was so before goes first.
 */
export function claimDomains(sql: Sql, app: string, goLive: () => void): void {
  sql.run(claimFree);
  goLive();
  sql.run(`DELETE FROM claims WHERE app = ?1 AND name NOT IN (SELECT name FROM (${asked}) WHERE app = ?1)`, app);
  sql.run(claimFree);
}

/** Names in live releases, with their apps; a preview has none. */
const asked = `SELECT apps.name AS app, names.value AS name FROM apps
  JOIN deployments ON deployments.id = apps.live_deployment
  JOIN releases ON releases.app = apps.name AND releases.id = deployments.release_id
  JOIN json_each(releases.domains) AS names WHERE apps.preview_of IS NULL`;

const claimFree = `INSERT INTO claims SELECT name, min(app) FROM (${asked}) WHERE true GROUP BY name ON CONFLICT DO NOTHING`;
