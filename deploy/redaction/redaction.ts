import type { Env } from '../../runtime/contract/env.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import type { BootCheckEntry } from '../../runtime/contract/ipc.ts';
import { envLimits } from '../../runtime/contract/limits.ts';
import type { LogRecord } from '../../runtime/contract/log.ts';
import { createRedactor, type Redactor } from './redactor.ts';

/**
 * Keeps the values of one app's variables out of what is told about it. It covers the newest versions of the
 * environment: workers of the one before the live one may still log, and so may a candidate's.
 */
export class Redaction {
  /** Newest last. */
  readonly #versions = new Map<string, Env>();
  #redactor: Redactor | null = null;

  /** From now on the values of version `id` are replaced too. Those of version `live` are not given up for it. */
  cover(id: string | null, { env, live }: { env: Env; live: string | null }): void {
    if (id === null) return;
    const known = this.#versions.delete(id);
    this.#versions.set(id, env);
    if (known) return;
    const oldest = [...this.#versions.keys()].find((one) => one !== live);
    if (this.#versions.size > envLimits.redactedVersions && oldest !== undefined) this.#versions.delete(oldest);
    this.#redactor = createRedactor(this.#versions.values());
  }

  text(text: string): string {
    return this.#redactor === null ? text : this.#redactor.text(text);
  }

  /** A log record without secrets; the same one when there are none in it. */
  record(record: LogRecord): LogRecord {
    if (this.#redactor === null) return record;
    const { message, stack, fields, access } = record;
    return {
      ...record,
      message: this.text(message),
      ...(stack !== undefined && { stack: this.text(stack) }),
      ...(fields !== undefined && { fields: this.value(fields) }),
      ...(access !== undefined && { access: { ...access, path: this.text(access.path) } }),
    };
  }

  /** What came of loading a function, as its pusher is told. */
  checked(entry: BootCheckEntry): BootCheckEntry {
    if (this.#redactor === null) return entry;
    const { error, inspection } = entry;
    return {
      ...entry,
      error: error && { ...error, message: this.text(error.message), stack: error.stack && this.text(error.stack) },
      inspection: inspection && { ...inspection, warnings: inspection.warnings.map((line) => this.text(line)) },
    };
  }

  /** An error without secrets in its message. */
  error(error: unknown): unknown {
    if (!(error instanceof FnrunError) || this.text(error.message) === error.message) return error;
    const hint = error.hint === null ? {} : { hint: this.text(error.hint) };
    return new FnrunError(error.code, this.text(error.message), hint);
  }

  /** A JSON value without secrets, in texts, numbers and names. */
  value(value: Record<string, unknown>): Record<string, unknown> {
    if (this.#redactor === null) return value;
    return redactValue(value, this.#redactor) as Record<string, unknown>;
  }
}

function redactValue(value: unknown, redactor: Redactor): unknown {
  if (typeof value === 'string') return redactor.text(value);
  if (typeof value === 'number') {
    const text = String(value);
    const redacted = redactor.text(text);
    return redacted === text ? value : redacted;
  }
  if (Array.isArray(value)) return value.map((item) => redactValue(item, redactor));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [redactor.text(key), redactValue(item, redactor)]),
  );
}
