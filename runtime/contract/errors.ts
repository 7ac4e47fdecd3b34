/**
 * The catalogue of errors. `status` is the HTTP status of the problem document, or null for
 * errors that never leave as a response; `exitCode` is the CLI's. docs/errors.md lists the
 * same codes, and a test fails where the two disagree.
 */
export const errorCatalogue = {
  // HTTP, told to clients as application/problem+json
  FN_BAD_REQUEST: { status: 400, exitCode: 1, title: 'Request cannot be read one way only' },
  FN_ORIGIN_REFUSED: { status: 403, exitCode: 1, title: 'The function takes no WebSockets from this origin' },
  FN_NOT_FOUND: { status: 404, exitCode: 1, title: 'No function has this route' },
  FN_APP_NOT_FOUND: { status: 404, exitCode: 1, title: 'No app has this host name' },
  FN_NO_RELEASE: { status: 404, exitCode: 1, title: 'The app has no live release' },
  FN_METHOD_NOT_ALLOWED: { status: 405, exitCode: 1, title: 'The function does not answer this method' },
  FN_REQUEST_TIMEOUT: { status: 408, exitCode: 1, title: 'The request did not arrive in time' },
  FN_BODY_TOO_LARGE: { status: 413, exitCode: 1, title: 'The request body is larger than the function accepts' },
  FN_TOO_MANY_REQUESTS: { status: 429, exitCode: 1, title: 'The client sends more than the app takes of one' },
  FN_UPGRADE_REQUIRED: { status: 426, exitCode: 1, title: 'The function speaks WebSocket only' },
  FN_HANDLER_FAILED: { status: 502, exitCode: 1, title: 'The function failed' },
  FN_BAD_RESPONSE: { status: 502, exitCode: 1, title: 'The function returned something that is no response' },
  FN_WORKER_DIED: { status: 502, exitCode: 1, title: "The function's worker ended during the request" },
  FN_APP_UNREACHABLE: { status: 502, exitCode: 1, title: 'The connection to the app ended during the request' },
  FN_OVERLOADED: { status: 503, exitCode: 1, title: 'The function has more requests than it can queue' },
  FN_LOAD_FAILED: { status: 503, exitCode: 1, title: 'The function does not load' },
  FN_CRASHING: { status: 503, exitCode: 1, title: "The function's workers end one after the other" },
  FN_APP_UNAVAILABLE: { status: 503, exitCode: 1, title: 'The app is restarting' },
  FN_DB_BUSY: { status: 503, exitCode: 1, title: 'No database connection became free in time' },
  FN_DB_UNAVAILABLE: { status: 503, exitCode: 1, title: 'The database does not answer' },
  FN_TIMEOUT: { status: 504, exitCode: 1, title: 'The function did not answer in time' },
  FN_INTERNAL: { status: 500, exitCode: 1, title: 'fnrun itself failed' },

  // Builds
  FN_NO_FUNCTIONS: { status: null, exitCode: 1, title: 'No functions were found' },
  FN_NO_HANDLER: { status: null, exitCode: 1, title: 'A function exports no handler' },
  FN_ROUTE_CONFLICT: { status: null, exitCode: 1, title: 'Two functions have one route' },
  FN_BAD_ROUTE: { status: null, exitCode: 1, title: 'A folder name is no route segment' },
  FN_BAD_SETTINGS: { status: null, exitCode: 1, title: 'A setting has a value that cannot be used' },
  FN_UNRESOLVED_IMPORT: { status: null, exitCode: 1, title: 'An import does not resolve' },
  FN_IMPORT_OUTSIDE: { status: null, exitCode: 1, title: 'An import leaves the app' },
  FN_SYNTAX: { status: null, exitCode: 1, title: 'A source file does not parse' },
  FN_LOCKFILE: { status: null, exitCode: 1, title: 'package.json and the lockfile do not fit' },
  FN_NPM_FAILED: { status: null, exitCode: 1, title: 'npm could not install the dependencies' },
  FN_SOURCE_LIMIT: { status: null, exitCode: 1, title: 'The source tree is larger than a build accepts' },
  FN_SOURCE_ENTRY: { status: null, exitCode: 1, title: 'The source tree holds something that cannot be built' },
  FN_BUILD_TIMEOUT: { status: null, exitCode: 1, title: 'The build took too long' },
  FN_BUILD_LIMIT: { status: null, exitCode: 1, title: 'The build used more than it may' },
  FN_BUILD_DIED: { status: null, exitCode: 1, title: 'The process that built the app ended' },
  FN_MIGRATION: { status: null, exitCode: 1, title: 'A migration cannot be applied' },
  FN_LOAD_TIMEOUT: { status: null, exitCode: 1, title: 'A function did not load in time' },

  // Daemon, control API and CLI
  FN_USAGE: { status: 400, exitCode: 2, title: 'The command was not understood' },
  FN_NOT_RUNNING: { status: null, exitCode: 1, title: 'No fnrun server answers' },
  FN_ALREADY_RUNNING: { status: null, exitCode: 1, title: 'Another fnrun server has this home' },
  FN_NO_SUCH_APP: { status: 404, exitCode: 1, title: 'There is no such app' },
  FN_APP_EXISTS: { status: 409, exitCode: 1, title: 'The app exists already' },
  FN_BAD_APP_NAME: { status: 400, exitCode: 2, title: 'The name cannot be an app' },
  FN_NAME_TOO_LONG: { status: 400, exitCode: 2, title: 'The path of a unix socket would be too long' },
  FN_BAD_BRANCH: { status: 400, exitCode: 2, title: 'The name cannot be a branch' },
  FN_BAD_DOMAIN: { status: 400, exitCode: 2, title: 'The name cannot be a domain of an app' },
  FN_DOMAIN_TAKEN: { status: 409, exitCode: 1, title: 'Another app has the domain' },
  FN_SYNC_FAILED: { status: null, exitCode: 1, title: 'Root could not do all that the server needs' },
  FN_BUSY: { status: 503, exitCode: 1, title: 'Too many deployments of the app are waiting' },
  FN_ALREADY_LIVE: { status: 409, exitCode: 1, title: 'The release is live already' },
  FN_BOOT_CHECK: { status: 409, exitCode: 1, title: 'A function of the release does not load' },
  FN_CHECK_FAILED: { status: 409, exitCode: 1, title: 'A function of the release does not answer its check' },
  FN_NO_SUCH_RELEASE: { status: 404, exitCode: 1, title: 'There is no such release' },
  FN_BAD_ENV: { status: 400, exitCode: 2, title: 'The environment cannot be that' },
  FN_SECRET_KEY: { status: 409, exitCode: 1, title: 'Stored values cannot be read with the key there is' },
  FN_NO_DATABASE: { status: 409, exitCode: 1, title: 'The app has no database' },
  FN_NO_SUCH_DEPLOYMENT: { status: 404, exitCode: 1, title: 'There is no such deployment' },
  FN_TOO_LATE: { status: 409, exitCode: 1, title: 'The deployment can no longer be cancelled' },
  FN_PUSH_REJECTED: { status: 409, exitCode: 1, title: 'The push was rejected' },
  FN_HOST_FAILED: { status: 503, exitCode: 1, title: 'The app host did not start' },
  FN_GIT_FAILED: { status: null, exitCode: 1, title: 'git failed' },
  FN_NOT_EMPTY: { status: null, exitCode: 1, title: 'The folder is not empty' },
  FN_FORBIDDEN: { status: 403, exitCode: 1, title: 'The ssh key may not do this' },
  FN_BAD_KEY: { status: 400, exitCode: 1, title: 'The ssh key cannot be used' },
  FN_KEY_EXISTS: { status: 409, exitCode: 1, title: 'The ssh key, or one of its name, is there already' },
  FN_NO_SUCH_KEY: { status: 404, exitCode: 1, title: 'There is no such ssh key' },
  FN_SSH_FAILED: { status: null, exitCode: 1, title: 'The server could not be reached over ssh' },
  FN_SETUP_FAILED: { status: null, exitCode: 1, title: 'A step of setting up a server failed' },
  FN_BACKUP: { status: null, exitCode: 1, title: 'A backup could not be made' },
  FN_RESTORE: { status: null, exitCode: 1, title: 'A backup could not be restored' },
  FN_NO_BACKUP: { status: null, exitCode: 1, title: 'There is no such backup' },
  FN_PORT_IN_USE: { status: null, exitCode: 1, title: 'The port is taken' },
} as const;

/** A stable error code, as in problem documents and `--json` output. */
export type ErrorCode = keyof typeof errorCatalogue;

/** What an error may carry beside its message. */
export interface FnrunErrorOptions {
  cause?: unknown;
  /** The one thing to do next, as a sentence without final period. */
  hint?: string;
}

/** An error told to a person: what happened and why in `message`, what to do in `hint`. */
export class FnrunError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | null;

  constructor(code: ErrorCode, message: string, options: FnrunErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'FnrunError';
    this.code = code;
    this.hint = options.hint ?? null;
  }

  /** HTTP status of the code; 500 for codes that have none. */
  get status(): number {
    return errorCatalogue[this.code].status ?? 500;
  }
}

/** RFC 9457 problem document. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail?: string;
  requestId?: string;
  /** Only under `fnrun dev`. */
  stack?: string;
}

/** The problem document of `code`. `type` is a relative reference into the error pages of the docs. */
export function problemOf(
  code: ErrorCode,
  extra: { detail?: string; requestId?: string; stack?: string } = {},
): Problem {
  const entry = errorCatalogue[code];
  return { type: `about:blank#${code}`, title: entry.title, status: entry.status ?? 500, code, ...extra };
}
