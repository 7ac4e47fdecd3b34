import type { Connection } from 'mysql2/promise';
import type { DatabaseAddress } from '../../runtime/contract/database-url.ts';
import { MigrationError } from './migration-error.ts';
import type { PendingMigration } from './plan.ts';
import { migrationsFolder, StatementHash } from './read.ts';
import { MigrationSession } from './session.ts';
import type { Outcome } from './session.ts';
import { migrationsTable, noteProgress, noteStart } from './table.ts';

/** What one file is applied with. */
export interface ApplyOptions {
  address: DatabaseAddress;
  /** Holds the lock and writes the record: what a migration does to its own session (a rollback, say) is not its matter. */
  control: Connection;
  app: string;
  commit: string;
  statementTimeoutMs: number;
  /** Aborts at the end of the time for all of them, or when the deployment is to end. */
  signal: AbortSignal;
  /** Why `signal` aborted. */
  whyStopped: () => string;
}

/**
 * Runs the statements of one file that have not run yet, each recorded when it has. Rejects with a MigrationError when one
 * fails; the record says then how many ran and stay, and the next run goes on behind these.
 */
export async function applyMigration(pending: PendingMigration, options: ApplyOptions): Promise<void> {
  const { file, statements } = pending;
  const { control, app, commit } = options;
  const startedMs = performance.now();
  const { name, checksum } = file;
  const hash = new StatementHash(statements);
  const note = (state: 'running' | 'applied' | 'failed', count: number, error: string | null = null): Promise<void> =>
    noteProgress(control, {
      name,
      state,
      statements: count,
      ranChecksum: hash.ofFirst(count),
      tookMs: performance.now() - startedMs,
      error,
    });
  const before = pending.ran;
  await noteStart(control, { name, checksum, statements: before, ranChecksum: hash.ofFirst(before), app, commit });
  // A session of its own: what a file sets holds for it alone.
  await using session = await MigrationSession.open(options.address, control);
  // What ran, and of that what stays: within a transaction nothing does yet.
  let kept = before;
  let open = false;
  for (let index = before; index < statements.length; index++) {
    const outcome = await session.run(statements[index]!.sql, {
      timeoutMs: options.statementTimeoutMs,
      signal: options.signal,
    });
    if (outcome.kind === 'ran') {
      open = outcome.inTransaction ?? open;
      if (!open) kept = index + 1;
    }
    const failed = outcome.kind !== 'ran' || outcome.late !== null;
    if (!failed) {
      if (!open) await note('running', kept);
      continue;
    }
    const why = options.signal.aborted ? options.whyStopped() : whyOf(outcome);
    await note(outcome.kind === 'unknown' ? 'running' : 'failed', kept, why);
    throw failure(pending, { index, kept, why, unknown: outcome.kind === 'unknown' });
  }
  if (open) {
    const why = 'the file ends within a transaction, which is rolled back';
    await note('failed', kept, why);
    throw failure(pending, { index: statements.length - 1, kept, why, unknown: false });
  }
  await note('applied', statements.length);
}

function whyOf(outcome: Outcome): string {
  if (outcome.kind !== 'ran') return outcome.why;
  return outcome.late ?? '';
}

function failure(
  { file, statements }: PendingMigration,
  { index, kept, why, unknown }: { index: number; kept: number; why: string; unknown: boolean },
): MigrationError {
  const place = { file: `${migrationsFolder}/${file.name}`, line: statements[index]?.line ?? null };
  const total = statements.length === 1 ? '1 statement' : `${statements.length} statements`;
  const ran =
    kept === 0 ? `none of its ${total} is done` : `${kept} of its ${total} ran and ${kept === 1 ? 'stays' : 'stay'}`;
  if (unknown) {
    return new MigrationError(`${why}; ${ran}, whether number ${index + 1} did is not known`, {
      ...place,
      hint: `look whether it did, undo it if so, then: UPDATE ${migrationsTable} SET state = 'failed' WHERE name = '${file.name}'; the next run goes on there`,
    });
  }
  const goesOn = `leave the first ${kept === 1 ? 'statement as it is' : `${kept} as they are`}: the next run goes on behind ${kept === 1 ? 'it' : 'them'}`;
  return new MigrationError(`${why}; ${ran}`, {
    ...place,
    hint: kept === 0 ? 'mend it' : `mend it, and ${goesOn}`,
  });
}
