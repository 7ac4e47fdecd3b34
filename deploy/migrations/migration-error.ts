import { FnrunError } from '../../runtime/contract/errors.ts';

/** Where in the app's tree it is wrong, and what is to be done. */
export interface MigrationErrorOptions {
  hint: string;
  /** `migrations/0003_orders.sql`; null: no file is to blame. */
  file?: string | null;
  line?: number | null;
  cause?: unknown;
}

/** Why migrations are not applied. `message` says it without the place. */
export class MigrationError extends FnrunError {
  readonly file: string | null;
  readonly line: number | null;

  constructor(message: string, { hint, file = null, line = null, cause }: MigrationErrorOptions) {
    super('FN_MIGRATION', message, { hint, ...(cause !== undefined && { cause }) });
    this.file = file;
    this.line = line;
  }

  /** `migrations/0003_orders.sql:7: `; empty without a file. */
  get place(): string {
    if (this.file === null) return '';
    return `${this.file}${this.line === null ? '' : `:${this.line}`}: `;
  }
}
