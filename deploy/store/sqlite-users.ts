import type { Sql } from './sqlite.ts';
import type { Store, UserChoice } from './store.ts';

export type UserMethods = 'assignUser' | 'freeUser' | 'listUsers';

/** The users of apps. */
export function users(sql: Sql): Pick<Store, UserMethods> {
  return {
    assignUser: async (app, choice) => {
      let id: number | null = null;
      sql.atOnce(() => {
        id = assign(sql, app, choice);
      });
      return id;
    },
    freeUser: async (app, nowMs) => free(sql, app, nowMs),
    listUsers: async () =>
      sql
        .all('SELECT id, app FROM app_users WHERE app IS NOT NULL ORDER BY id')
        .map((row) => ({ id: row['id'] as number, app: row['app'] as string })),
  };
}

function assign(sql: Sql, app: string, { first, last, taken, nowMs }: UserChoice): number | null {
  const fits = (id: number): boolean => id >= first && id <= last && !taken.has(id);
  const own = sql.get('SELECT id FROM app_users WHERE app = ?', app)?.['id'] as number | undefined;
  if (own !== undefined && fits(own)) return own;
  if (own !== undefined) free(sql, app, nowMs);
  const id = neverGiven(sql, { first, last, fits }) ?? longestFree(sql, fits);
  if (id === null) return null;
  sql.run('INSERT INTO app_users (id, app) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET app = excluded.app', id, app);
  return id;
}

function neverGiven(
  sql: Sql,
  { first, last, fits }: { first: number; last: number; fits: (id: number) => boolean },
): number | null {
  const rows = sql.all('SELECT id FROM app_users WHERE id BETWEEN ? AND ?', first, last);
  const given = new Set(rows.map((row) => row['id']));
  for (let id = first; id <= last; id++) if (!given.has(id) && fits(id)) return id;
  return null;
}

function longestFree(sql: Sql, fits: (id: number) => boolean): number | null {
  const rows = sql.all('SELECT id FROM app_users WHERE app IS NULL ORDER BY freed_at_ms, id');
  return rows.map((row) => row['id'] as number).find(fits) ?? null;
}

function free(sql: Sql, app: string, nowMs: number): void {
  sql.run('UPDATE app_users SET app = NULL, freed_at_ms = ? WHERE app = ?', nowMs, app);
}
