import { FnrunError } from '../../runtime/contract/errors.ts';
import type { Sql } from './sqlite.ts';
import type { Store } from './store.ts';

/** The store's host names of apps. */
export function domains(sql: Sql): Pick<Store, 'listDomains' | 'changeDomains'> {
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
  };
}
