import { errorCatalogue, FnrunError, type ErrorCode } from '../runtime/contract/errors.ts';
import { explainSystemError } from './system-error.ts';

/** An error as the CLI tells it. */
export interface CliError {
  /** Null for an error that fnrun did not foresee. */
  code: ErrorCode | null;
  message: string;
  hint: string | null;
  exitCode: number;
}

/** What to tell about `error`, which may be anything thrown. */
export function describeError(error: unknown): CliError {
  if (error instanceof FnrunError) {
    const { exitCode } = errorCatalogue[error.code];
    return { code: error.code, message: error.message, hint: error.hint, exitCode };
  }
  if (isParseArgsError(error)) {
    // parseArgs explains at length how to pass a value that starts with a dash; the first sentence says what is wrong.
    const message = error.message.split('. ')[0] ?? error.message;
    return { code: 'FN_USAGE', message, hint: null, exitCode: errorCatalogue.FN_USAGE.exitCode };
  }
  const explained = explainSystemError(error);
  if (explained !== null) return { code: null, ...explained, exitCode: 1 };
  const message = error instanceof Error ? error.message : String(error);
  return { code: null, message, hint: 'set FNRUN_DEBUG=1 to see where it happened', exitCode: 1 };
}

/** One line for stderr: what, why, what to do; or, with `json`, the same as one JSON object. */
export function renderError(error: CliError, options: { json: boolean }): string {
  if (options.json) {
    return JSON.stringify({ error: { code: error.code, message: error.message, hint: error.hint } });
  }
  return `fnrun: ${error.message}${error.hint === null ? '' : `; ${error.hint}`}`;
}

function isParseArgsError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
}
