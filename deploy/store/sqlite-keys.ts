import type { Row, Sql } from './sqlite.ts';
import type { KeyRecord, Store } from './store.ts';

export type KeyMethods = 'listKeys' | 'getKey' | 'addKey' | 'removeKey' | 'grantApp';

/** The store's ssh keys. */
export function keys(sql: Sql): Pick<Store, KeyMethods> {
  const toKey = (row: Row): KeyRecord => {
    const apps = sql.all('SELECT app FROM key_apps WHERE key = ? ORDER BY app', row['id'] as string);
    return {
      id: row['id'] as string,
      name: row['name'] as string,
      type: row['type'] as string,
      blob: row['blob'] as string,
      fingerprint: row['fingerprint'] as string,
      apps: row['all_apps'] === 1 ? null : apps.map(({ app }) => app as string),
      branches: row['branches'] === null ? null : (JSON.parse(row['branches'] as string) as string[]),
      create: row['may_create'] === 1,
      readOnly: row['read_only'] === 1,
      admin: row['admin'] === 1,
      createdAtMs: row['created_at_ms'] as number,
    };
  };
  const grantApp = (key: string, app: string): void =>
    sql.run('INSERT INTO key_apps (key, app) VALUES (?, ?) ON CONFLICT DO NOTHING', key, app);
  return {
    listKeys: async () => sql.all('SELECT * FROM keys ORDER BY name').map(toKey),
    getKey: async (id) => {
      const row = sql.get('SELECT * FROM keys WHERE id = ?', id);
      return row === undefined ? null : toKey(row);
    },
    addKey: async (key) =>
      sql.atOnce(() => {
        const columns = {
          id: key.id,
          name: key.name,
          type: key.type,
          blob: key.blob,
          fingerprint: key.fingerprint,
          all_apps: Number(key.apps === null),
          branches: key.branches === null ? null : JSON.stringify(key.branches),
          may_create: Number(key.create),
          read_only: Number(key.readOnly),
          admin: Number(key.admin),
          created_at_ms: key.createdAtMs,
        };
        const names = Object.keys(columns);
        const marks = names.map(() => '?').join(', ');
        sql.run(`INSERT INTO keys (${names.join(', ')}) VALUES (${marks})`, ...Object.values(columns));
        for (const app of key.apps ?? []) grantApp(key.id, app);
      }),
    removeKey: async (name) => sql.all('DELETE FROM keys WHERE name = ? RETURNING id', name).length > 0,
    grantApp: async (key, app) => grantApp(key, app),
  };
}
