import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { migrationLimits } from '../../runtime/contract/limits.ts';
import { MigrationError } from './migration-error.ts';
import { splitSql, SplitError } from './split.ts';
import type { Statement } from './split.ts';

/** The folder of an app's migrations, beside functions/. */
export const migrationsFolder = 'migrations';

/** One file of migrations/. */
export interface MigrationFile {
  /** Its name, which is what it is recorded under. */
  name: string;
  /** SHA-256 of its text, whatever its line breaks are. */
  checksum: string;
  text: string;
}

/** Reads `migrations/*.sql` below `dir`, in the order they are applied in; none when there is no such folder. */
export async function readMigrations(dir: string): Promise<MigrationFile[]> {
  const folder = join(dir, migrationsFolder);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  const wanted = names.filter(isMigration).toSorted(compareMigrations);
  const { files, fileBytes, nameChars } = migrationLimits;
  if (wanted.length > files) {
    throw new MigrationError(`migrations/ holds ${wanted.length} files, and may hold ${files}`, {
      hint: 'put the oldest together into one (docs/migrations.md tells how)',
    });
  }
  const read: MigrationFile[] = [];
  for (const name of wanted) {
    const file = `${migrationsFolder}/${name}`;
    if (!/^[\w.-]+$/.test(name) || name.length > nameChars) {
      throw new MigrationError('the name of a migration has letters, digits, ".", "-" and "_"', {
        file,
        hint: `rename it, to at most ${nameChars} of these characters`,
      });
    }
    const { size } = await stat(join(folder, name));
    if (size > fileBytes) {
      throw new MigrationError(`it has ${size} bytes, and may have ${fileBytes}`, {
        file,
        hint: 'split it into several files, or load large data with the release command',
      });
    }
    const text = (await readFile(join(folder, name), 'utf8')).replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
    read.push({ name, checksum: createHash('sha256').update(text).digest('hex'), text });
  }
  return read;
}

/** Whether a file of migrations/ is one; others may lie beside them. */
export function isMigration(name: string): boolean {
  return name.endsWith('.sql') && !name.startsWith('.');
}

/** By the number that the names begin with (2 before 10), those without one last; then by name. */
export function compareMigrations(a: string, b: string): number {
  const [first, second] = [numberOf(a), numberOf(b)];
  if (first !== second) {
    if (first === null) return 1;
    if (second === null) return -1;
    return first < second ? -1 : 1;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

function numberOf(name: string): bigint | null {
  const digits = /^\d+/.exec(name)?.[0];
  return digits === undefined ? null : BigInt(digits);
}

/** The statements of a migration. */
export function statementsOf({ name, text }: MigrationFile): Statement[] {
  const file = `${migrationsFolder}/${name}`;
  let statements;
  try {
    statements = splitSql(text);
  } catch (error) {
    if (!(error instanceof SplitError)) throw error;
    throw new MigrationError(error.message, { file, line: error.line, hint: 'close it' });
  }
  const { statementsPerFile } = migrationLimits;
  if (statements.length <= statementsPerFile) return statements;
  throw new MigrationError(`it has ${statements.length} statements, and may have ${statementsPerFile}`, {
    file,
    hint: 'split it into several files',
  });
}

/** Hashes over the first statements of a file: they tell whether what ran of it is still what it begins with. */
export class StatementHash {
  readonly #statements: readonly Statement[];
  readonly #hash = createHash('sha256');
  #count = 0;

  constructor(statements: readonly Statement[]) {
    this.#statements = statements;
  }

  /** Asked for growing counts only, so that a long file is hashed once. */
  ofFirst(count: number): string {
    for (; this.#count < count; this.#count++) this.#hash.update(`${this.#statements[this.#count]!.sql}\0`);
    return this.#hash.copy().digest('hex');
  }
}
