import type { DatabaseSync } from 'node:sqlite';

// One entry per version, never edited once released: a home is brought up to date step by step.
const migrations: readonly string[] = [
  `CREATE TABLE apps (
     name TEXT PRIMARY KEY,
     created_at_ms INTEGER NOT NULL,
     live_deployment TEXT
   ) STRICT;
   CREATE TABLE releases (
     app TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
     id TEXT NOT NULL,
     created_at_ms INTEGER NOT NULL,
     functions INTEGER NOT NULL,
     domains TEXT NOT NULL,
     PRIMARY KEY (app, id)
   ) STRICT;
   CREATE TABLE deployments (
     id TEXT PRIMARY KEY,
     app TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
     release_id TEXT,
     commit_id TEXT NOT NULL,
     subject TEXT NOT NULL,
     ref TEXT NOT NULL,
     author TEXT NOT NULL,
     source TEXT NOT NULL,
     state TEXT NOT NULL,
     step TEXT NOT NULL,
     started_at_ms INTEGER NOT NULL,
     finished_at_ms INTEGER,
     duration_ms INTEGER,
     error TEXT
   ) STRICT;
   CREATE INDEX deployments_by_app ON deployments (app, id DESC);`,
  `ALTER TABLE deployments ADD COLUMN note TEXT;`,
  `CREATE TABLE envs (
     app TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
     id TEXT NOT NULL,
     created_at_ms INTEGER NOT NULL,
     variables TEXT NOT NULL,
     PRIMARY KEY (app, id)
   ) STRICT;
   ALTER TABLE apps ADD COLUMN env TEXT;
   ALTER TABLE releases ADD COLUMN build TEXT;
   ALTER TABLE releases ADD COLUMN env TEXT;
   UPDATE releases SET build = id;`,
  `ALTER TABLE apps ADD COLUMN branch TEXT;
   ALTER TABLE deployments ADD COLUMN steps_ms TEXT NOT NULL DEFAULT '{}';`,
  `ALTER TABLE apps ADD COLUMN preview_of TEXT REFERENCES apps (name) ON DELETE CASCADE;
   ALTER TABLE apps ADD COLUMN used_at_ms INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE apps ADD COLUMN overlay TEXT;`,
  // The key's name as it was then: a deployment outlives the key. key_apps names apps that may not exist yet.
  `ALTER TABLE deployments ADD COLUMN key_name TEXT;
   CREATE TABLE keys (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     type TEXT NOT NULL,
     blob TEXT NOT NULL UNIQUE,
     fingerprint TEXT NOT NULL,
     all_apps INTEGER NOT NULL,
     branches TEXT,
     may_create INTEGER NOT NULL,
     read_only INTEGER NOT NULL,
     admin INTEGER NOT NULL,
     created_at_ms INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE key_apps (
     key TEXT NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
     app TEXT NOT NULL,
     PRIMARY KEY (key, app)
   ) STRICT;`,
  // A number outlives its app until nothing of that is left: no reference. Null: free, and since when.
  `CREATE TABLE app_users (
     id INTEGER PRIMARY KEY,
     app TEXT UNIQUE,
     freed_at_ms INTEGER NOT NULL DEFAULT 0
   ) STRICT;`,
  `CREATE TABLE domains (
     name TEXT PRIMARY KEY,
     app TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
     asked_at_ms INTEGER NOT NULL
   ) STRICT;`,
  // Of names that are in the fnrun.json of a live release: whose was so first.
  `CREATE TABLE claims (
     name TEXT PRIMARY KEY,
     app TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE
   ) STRICT;`,
];

/** Brings the schema up to date. Throws when the file was written by a newer fnrun. */
export function migrate(db: DatabaseSync): void {
  const found = db.prepare('PRAGMA user_version').get()?.['user_version'] as number;
  if (found > migrations.length) {
    throw new Error(
      `Cannot open the state of this home: its schema is version ${found}, this fnrun knows ${migrations.length}`,
    );
  }
  for (let version = found; version < migrations.length; version += 1) {
    // One transaction a version; user_version is part of it, so a crash leaves the old or the new schema.
    db.exec(`BEGIN IMMEDIATE; ${migrations[version]} PRAGMA user_version = ${version + 1}; COMMIT;`);
  }
}
