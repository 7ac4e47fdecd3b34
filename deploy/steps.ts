/**
 * Every step of a push, in the order in which it gets there. Those that a record can stand at are the
 * `DeploymentStep`s of the control API. `test/support/kill-run.ts` ends the server at each of them.
 */
export const pushSteps = [
  /** The hook has asked; nothing is on record. */
  'received',
  /** On record; it waits for its turn, which comes at once when nothing else is under way. */
  'queued',
  /** Its turn has come: its files are listed and written. */
  'export',
  /** The tree is written; the build begins. */
  'build',
  /** The release lies on disk; its functions are loaded. */
  'check',
  /** Every function has been loaded; migrations are applied and the release command runs, when there are such. */
  'command',
  /** The candidate has passed all that is asked of it. */
  'checked',
  /** Accepted, on record; git is told next, and moves the ref. */
  'accepted',
  /** The ref has moved; the app host is told next. */
  'activate',
  /** The app host serves the new release. */
  'switched',
  /** That is on record. */
  'recorded',
  /** The pusher has been told; old releases are removed next. */
  'told',
  /** Nothing is left to do. */
  'done',
] as const;

/** A step of a push. */
export type PushStep = (typeof pushSteps)[number];
