/** One line of an app's log, as written to `<home>/logs/<app>.ndjson` and sent by the control API. */
export interface LogRecord {
  /** ISO 8601, UTC, with milliseconds. */
  time: string;
  level: 'debug' | 'info' | 'warn' | 'error';
  app: string;
  /** Absent for lines of the app host itself. */
  function?: string;
  release?: string;
  requestId?: string;
  message: string;
  /** Stack in terms of the user's sources. */
  stack?: string;
  /** Fields given to `ctx.log`. */
  fields?: Record<string, unknown>;
  /** Set on an access line: one per request. */
  access?: AccessFields;
}

/** What happened to one request. */
export interface AccessFields {
  method: string;
  path: string;
  status: number;
  durationMs: number;
}
