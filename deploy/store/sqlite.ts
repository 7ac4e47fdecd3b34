import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { migrate } from './schema.ts';
import { claimDomains, domains } from './sqlite-domains.ts';
import { type KeyMethods, keys } from './sqlite-keys.ts';
import { type UserMethods, users } from './sqlite-users.ts';
import type { AppRecord, DeploymentPatch, DeploymentRecord, EnvVersion, ReleaseRecord, Store } from './store.ts';

const deploymentColumns = {
  id: 'id',
  app: 'app',
  release: 'release_id',
  commit: 'commit_id',
  subject: 'subject',
  ref: 'ref',
  author: 'author',
  source: 'source',
  key: 'key_name',
  state: 'state',
  step: 'step',
  startedAtMs: 'started_at_ms',
  finishedAtMs: 'finished_at_ms',
  durationMs: 'duration_ms',
  stepsMs: 'steps_ms',
  error: 'error',
  note: 'note',
} as const satisfies Record<keyof DeploymentRecord, string>;

const selectDeployment = `SELECT ${Object.entries(deploymentColumns)
  .map(([key, column]) => `${column} AS "${key}"`)
  .join(', ')} FROM deployments`;

export type Row = Record<string, SQLOutputValue>;

/** For its owner alone: what SQLite makes beside it gets the same rights, and what is there already has them from here on. */
function closeToOthers(file: string): void {
  closeSync(openSync(file, 'a', 0o600));
  for (const path of [file, `${file}-wal`, `${file}-shm`]) if (existsSync(path)) chmodSync(path, 0o600);
}

/** Opens the store of one home in `file`, made when absent. One process at a time may hold it. */
export function openSqliteStore(file: string): Store {
  closeToOthers(file);
  const db = new DatabaseSync(file);
  // FULL: a commit is on disk when it returns; an accepted push must not be forgotten by a power cut.
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;',
  );
  migrate(db);
  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql) ?? db.prepare(sql);
    statements.set(sql, known);
    return known;
  };
  return storeOver({
    get: (sql, ...values) => prepare(sql).get(...values),
    all: (sql, ...values) => prepare(sql).all(...values),
    run: (sql, ...values) => void prepare(sql).run(...values),
    atOnce: (work) => transaction(db, work),
    close: () => {
      statements.clear();
      db.close();
    },
  });
}

/** What the parts of the store say SQL to. */
export interface Sql {
  get(sql: string, ...values: SQLInputValue[]): Row | undefined;
  all(sql: string, ...values: SQLInputValue[]): Row[];
  run(sql: string, ...values: SQLInputValue[]): void;
  atOnce(work: () => void): void;
  close(): void;
}

type AppMethods = 'listApps' | 'getApp' | 'createApp' | 'setBranch' | 'setUsed' | 'removeApp';
type ReleaseMethods = 'saveRelease' | 'getRelease' | 'listReleases' | 'removeRelease';
type DomainMethods = 'listDomains' | 'changeDomains' | 'listClaims';
type EnvMethods = 'saveEnv' | 'getEnv' | 'useEnv' | 'useOverlay' | 'trimEnvs';

function storeOver(sql: Sql): Store {
  return {
    ...apps(sql),
    ...releases(sql),
    ...envs(sql),
    ...deployments(sql),
    ...keys(sql),
    ...users(sql),
    ...domains(sql),
    close: async () => sql.close(),
  };
}

function apps(sql: Sql): Pick<Store, AppMethods> {
  const getApp = (name: string): AppRecord | null => {
    const row = sql.get('SELECT * FROM apps WHERE name = ?', name);
    return row === undefined ? null : toApp(row);
  };
  return {
    listApps: async () => sql.all('SELECT * FROM apps ORDER BY name').map(toApp),
    getApp: async (name) => getApp(name),
    createApp: async (name, { createdAtMs, branch = null, previewOf = null }) => {
      if (getApp(name) !== null) throw new FnrunError('FN_APP_EXISTS', `There is an app ${name} already`);
      const usedAtMs = previewOf === null ? 0 : createdAtMs;
      const insert = 'INSERT INTO apps (name, created_at_ms, branch, preview_of, used_at_ms) VALUES (?, ?, ?, ?, ?)';
      sql.run(insert, name, createdAtMs, branch, previewOf, usedAtMs);
      return { name, createdAtMs, liveDeployment: null, env: null, branch, previewOf, usedAtMs, overlay: null };
    },
    setBranch: async (name, branch) => sql.run('UPDATE apps SET branch = ? WHERE name = ?', branch, name),
    setUsed: async (name, usedAtMs) => sql.run('UPDATE apps SET used_at_ms = ? WHERE name = ?', usedAtMs, name),
    removeApp: async (name) =>
      sql.atOnce(() => {
        sql.run('DELETE FROM apps WHERE name = ?', name);
        // Who makes an app of this name anew must not inherit who could push to the old one.
        sql.run('DELETE FROM key_apps WHERE app = ?', name);
      }),
  };
}

function releases(sql: Sql): Pick<Store, ReleaseMethods> {
  return {
    saveRelease: async (release) => saveRelease(sql, release),
    getRelease: async (app, id) => {
      const row = sql.get('SELECT * FROM releases WHERE app = ? AND id = ?', app, id);
      return row === undefined ? null : toRelease(row);
    },
    listReleases: async (app) =>
      sql.all('SELECT * FROM releases WHERE app = ? ORDER BY created_at_ms DESC, id', app).map(toRelease),
    removeRelease: async (app, id) => sql.run('DELETE FROM releases WHERE app = ? AND id = ?', app, id),
  };
}

function envs(sql: Sql): Pick<Store, EnvMethods> {
  return {
    saveEnv: async ({ app, id, createdAtMs, variables }) =>
      sql.run(
        'INSERT INTO envs (app, id, created_at_ms, variables) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
        app,
        id,
        createdAtMs,
        JSON.stringify(variables),
      ),
    getEnv: async (app, id) => {
      const row = sql.get('SELECT * FROM envs WHERE app = ? AND id = ?', app, id);
      return row === undefined ? null : toEnv(row);
    },
    useEnv: async (app, id) => sql.run('UPDATE apps SET env = ? WHERE name = ?', id, app),
    useOverlay: async (app, id) => sql.run('UPDATE apps SET overlay = ? WHERE name = ?', id, app),
    trimEnvs: async (app) =>
      sql.run(
        `DELETE FROM envs WHERE app = ?1 AND id IS NOT (SELECT env FROM apps WHERE name = ?1)
           AND id IS NOT (SELECT overlay FROM apps WHERE name = ?1)
           AND id NOT IN (SELECT env FROM releases WHERE app = ?1 AND env IS NOT NULL)`,
        app,
      ),
  };
}

function deployments(
  sql: Sql,
): Omit<Store, AppMethods | ReleaseMethods | EnvMethods | KeyMethods | UserMethods | DomainMethods | 'close'> {
  return {
    createDeployment: async (deployment) => {
      const keys = Object.keys(deploymentColumns) as (keyof DeploymentRecord)[];
      const columns = keys.map((key) => deploymentColumns[key]).join(', ');
      const marks = keys.map(() => '?').join(', ');
      sql.run(`INSERT INTO deployments (${columns}) VALUES (${marks})`, ...keys.map((key) => toSql(deployment[key])));
    },
    updateDeployment: async (id, patch) => update(sql, { id, patch }),
    getDeployment: async (id) => {
      const row = sql.get(`${selectDeployment} WHERE id = ?`, id);
      return row === undefined ? null : toDeployment(row);
    },
    listDeployments: async (app, { limit }) =>
      sql.all(`${selectDeployment} WHERE app = ? ORDER BY id DESC LIMIT ?`, app, limit).map(toDeployment),
    trimDeployments: async (app, { keep }) => sql.all(trim, app, keep).map((row) => row['id'] as string),
    acceptDeployment: async (id, release, patch) =>
      sql.atOnce(() => {
        saveRelease(sql, release);
        update(sql, { id, patch: { ...patch, release: release.id, step: 'accepted' } });
      }),
    goLive: async (id, outcome) =>
      sql.atOnce(() => {
        update(sql, { id, patch: { ...outcome, state: 'succeeded', step: 'done', error: null } });
        const app = sql.get('SELECT app FROM deployments WHERE id = ?', id)?.['app'] as string;
        claimDomains(sql, app, () => sql.run(makeLive, id));
      }),
  };
}

const makeLive = `UPDATE apps SET live_deployment = ?1, env = (
    SELECT env FROM releases WHERE (app, id) = (SELECT app, release_id FROM deployments WHERE id = ?1)
  ) WHERE name = (SELECT app FROM deployments WHERE id = ?1)`;

const trim = `DELETE FROM deployments WHERE app = ?1
  AND id NOT IN (SELECT id FROM deployments WHERE app = ?1 ORDER BY id DESC LIMIT ?2)
  AND id IS NOT (SELECT live_deployment FROM apps WHERE name = ?1) RETURNING id`;

function update(sql: Sql, { id, patch }: { id: string; patch: DeploymentPatch }): void {
  const keys = Object.keys(patch) as (keyof DeploymentPatch)[];
  if (keys.length === 0) return;
  const sets = keys.map((key) => `${deploymentColumns[key]} = ?`).join(', ');
  sql.run(`UPDATE deployments SET ${sets} WHERE id = ?`, ...keys.map((key) => toSql(patch[key])), id);
}

function saveRelease(sql: Sql, release: ReleaseRecord): void {
  sql.run(
    `INSERT INTO releases (app, id, build, env, created_at_ms, functions, domains) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
    release.app,
    release.id,
    release.build,
    release.env,
    release.createdAtMs,
    release.functions,
    JSON.stringify(release.domains),
  );
}

function transaction(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    work();
    db.exec('COMMIT');
  } catch (error) {
    // A full disk makes SQLite roll back by itself.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function toApp(row: Row): AppRecord {
  return {
    name: row['name'] as string,
    createdAtMs: row['created_at_ms'] as number,
    liveDeployment: row['live_deployment'] as string | null,
    env: row['env'] as string | null,
    branch: row['branch'] as string | null,
    previewOf: row['preview_of'] as string | null,
    usedAtMs: row['used_at_ms'] as number,
    overlay: row['overlay'] as string | null,
  };
}

function toRelease(row: Row): ReleaseRecord {
  return {
    app: row['app'] as string,
    id: row['id'] as string,
    build: row['build'] as string,
    env: row['env'] as string | null,
    createdAtMs: row['created_at_ms'] as number,
    functions: row['functions'] as number,
    domains: JSON.parse(row['domains'] as string) as string[],
  };
}

function toEnv(row: Row): EnvVersion {
  return {
    app: row['app'] as string,
    id: row['id'] as string,
    createdAtMs: row['created_at_ms'] as number,
    variables: JSON.parse(row['variables'] as string) as Record<string, string>,
  };
}

function toSql(value: DeploymentRecord[keyof DeploymentRecord] | undefined): SQLInputValue {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : (value ?? null);
}

function toDeployment(row: Row): DeploymentRecord {
  return { ...row, stepsMs: JSON.parse(row['stepsMs'] as string) } as unknown as DeploymentRecord;
}
