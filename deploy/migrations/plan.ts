import { MigrationError } from './migration-error.ts';
import { compareMigrations, migrationsFolder, StatementHash, statementsOf } from './read.ts';
import type { MigrationFile } from './read.ts';
import type { Statement } from './split.ts';
import { migrationsTable } from './table.ts';
import type { MigrationRow } from './table.ts';

/** A file to apply. */
export interface PendingMigration {
  file: MigrationFile;
  statements: Statement[];
  /** How many of them ran in an earlier attempt. */
  ran: number;
}

/** What is to be done, in order. */
export interface MigrationPlan {
  pending: PendingMigration[];
  /** One line each. */
  warnings: string[];
}

/**
 * Compares the files of a tree with what a database has had. Throws a MigrationError when an applied file has changed, or
 * one has failed half-way in a manner that somebody has to look at.
 */
export function planMigrations(files: readonly MigrationFile[], rows: readonly MigrationRow[]): MigrationPlan {
  const recorded = new Map(rows.map((row) => [row.name, row]));
  const applied = rows.filter(({ state }) => state === 'applied').map(({ name }) => name);
  const last = applied.toSorted(compareMigrations).at(-1);
  const plan: MigrationPlan = { pending: [], warnings: [] };
  for (const file of files) {
    const row = recorded.get(file.name);
    if (row?.state === 'applied') {
      checkUnchanged(file, row);
      continue;
    }
    const statements = statementsOf(file);
    plan.pending.push({ file, statements, ran: row === undefined ? 0 : resumeAt(file, { row, statements }) });
    if (row === undefined && last !== undefined && compareMigrations(file.name, last) < 0) {
      plan.warnings.push(`${file.name} sorts before ${last}, which was applied already: it is applied now, after it`);
    }
  }
  const names = new Set(files.map(({ name }) => name));
  const gone = rows.map(({ name }) => name).filter((name) => !names.has(name));
  if (gone.length > 0) {
    const more = gone.length > 3 ? ` and ${gone.length - 3} more` : '';
    const were = gone.length === 1 ? 'was' : 'were';
    plan.warnings.push(`${gone.slice(0, 3).join(', ')}${more} ${were} applied to this database, and not in this tree`);
  }
  return plan;
}

function checkUnchanged(file: MigrationFile, row: MigrationRow): void {
  if (file.checksum === row.checksum) return;
  const commit = row.commit === '' ? '' : `, with commit ${row.commit.slice(0, 8)}`;
  throw new MigrationError(`it has changed since it was applied (${row.appliedAt}${commit})`, {
    file: `${migrationsFolder}/${file.name}`,
    hint: 'put it back as it was, and write what is to change into a new file',
  });
}

/** The number of statements that need not run again. */
function resumeAt(
  file: MigrationFile,
  { row, statements }: { row: MigrationRow; statements: readonly Statement[] },
): number {
  const { state, statements: ran } = row;
  const place = `${migrationsFolder}/${file.name}`;
  const anew = `undo by hand what ran and DELETE FROM ${migrationsTable} WHERE name = '${file.name}' to have it run from its beginning`;
  if (state === 'running') {
    const next = statements[ran];
    throw new MigrationError(
      `an earlier run of it broke off: ${ran} of its statements ran, and whether number ${ran + 1} did is not known`,
      {
        file: place,
        line: next?.line ?? null,
        hint: `look whether it did, undo it if so, then: UPDATE ${migrationsTable} SET state = 'failed' WHERE name = '${file.name}'; the next run goes on there`,
      },
    );
  }
  // Nothing of it is there: whatever it says now may run.
  if (ran === 0) return 0;
  if (ran <= statements.length && new StatementHash(statements).ofFirst(ran) === row.ranChecksum) return ran;
  const count = ran === 1 ? 'first statement has' : `first ${ran} statements have`;
  throw new MigrationError(`its ${count} changed since an earlier attempt, in which what came after failed`, {
    file: place,
    hint: `put ${ran === 1 ? 'it' : 'them'} back and change only what comes after, or ${anew}`,
  });
}
