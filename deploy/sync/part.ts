import type { SiteBody, SyncPartOutcome } from '../../router/control/domain-types.ts';
import type { ServerFile } from './server-file.ts';

/** A request to the daemon's control API, which resolves to the JSON answer. Rejects with FnrunError. */
export type Ask = (method: 'GET' | 'POST', path: string, body?: unknown) => Promise<unknown>;

/** What every part has to work with. */
export interface SyncContext {
  /** The apps of the server, as the daemon tells them, checked: names, host names and numbers can be used as they are. */
  sites: readonly SiteBody[];
  /** Apps of which the daemon says what cannot be used: what is there for them stays. */
  untouched: readonly string[];
  /** What setup was asked for. */
  server: ServerFile;
  ask: Ask;
  /** One line for the journal. */
  log: (line: string) => void;
  /** ms since the epoch. */
  now: () => number;
  signal: AbortSignal;
}

/**
 * One thing that root does for the server, which has no rights itself: nginx's files, certificates, databases. To add one,
 * write a folder below `deploy/sync/` with a function that makes a part, and name it in the list of `cli/server/sync.ts`.
 * The parts run one after the other, as root, when the daemon asks and every hour, with nothing to change most times.
 *
 * A part trusts nothing that it did not make: it takes only `context` (checked) for true, builds paths from checked names,
 * follows no link within the home (`openFolder` of `folder.ts`) and runs nothing that is in it.
 */
export interface SyncPart {
  /** Short and stable: `nginx`. */
  readonly id: string;
  /**
   * Makes all as it should be and tells what changed and what could not be done; a problem of one app keeps no other's
   * from being done. What it throws is told as a problem of the machine; the other parts run all the same.
   */
  run(context: SyncContext): Promise<Omit<SyncPartOutcome, 'id'>>;
}

/** What a slow part has to work with. */
export interface SlowContext extends SyncContext {
  /**
   * Has the other parts run again, with what the daemon knows by then: something that they take up is there. Resolves to whether they
   * could, but for what is wrong with single apps; never rejects.
   */
  again: () => Promise<boolean>;
  /** Does something that the others must not see half done. */
  between: <T>(work: () => Promise<T>) => Promise<T>;
}

/** A part that may take minutes: the others have run before it, and run beside it whenever the daemon asks. */
export interface SlowPart {
  readonly id: string;
  run(context: SlowContext): Promise<Omit<SyncPartOutcome, 'id'>>;
}
