import { openRecords } from './records.ts';
import { type DatabaseApp, type DatabaseApps, giveDatabase, type GiveOutcome } from './give.ts';
import type { DatabaseAdmin } from './admin.ts';

/** What came of one app. */
export interface DatabaseSynced {
  app: string;
  /** `kept`: the app is gone, its data are not. */
  outcome: GiveOutcome | 'kept' | 'failed';
  /** For a person; null where there is nothing to say. */
  message: string | null;
}

/**
 * Gives every app that is no preview its database, one after the other; what fails for one is told and stops no other.
 * Nothing that holds data is ever removed.
 */
export async function syncDatabases(admin: DatabaseAdmin, apps: DatabaseApps): Promise<DatabaseSynced[]> {
  const records = await openRecords(admin);
  const there = (await apps.list()).filter(({ previewOf }) => previewOf === null);
  const synced: DatabaseSynced[] = [];
  for (const app of there) {
    try {
      const outcome = await giveDatabase({ admin, records, apps }, app);
      synced.push({ app: app.name, outcome, message: describe(app, outcome) });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      synced.push({ app: app.name, outcome: 'failed', message: `${app.name} has no database yet: ${why}` });
    }
  }
  const names = new Set(there.map(({ name }) => name));
  for (const { app } of await records.all()) {
    if (names.has(app)) continue;
    const message = `the database of ${app}, which is removed, is kept: fnrun databases drop ${app} removes it`;
    synced.push({ app, outcome: 'kept', message });
  }
  return synced;
}

function describe({ name }: DatabaseApp, outcome: GiveOutcome): string | null {
  const attach = `fnrun databases attach ${name} gives it`;
  switch (outcome) {
    case 'given':
      return `${name} has a database of its own now, and its DATABASE_URL`;
    case 'mended':
      return `the user and schema of ${name} were made again: restore its data with fnrun restore ${name} latest`;
    case 'unset':
      return `${name} has unset DATABASE_URL; ${attach} back`;
    case 'of-removed':
      return `there is a database of a removed app ${name}: ${attach} to the new one, fnrun databases drop ${name} removes it`;
    case 'there':
    case 'own':
      return null;
  }
}
