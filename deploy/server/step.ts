import type { Machine } from './machine.ts';
import type { MachineFacts, Wishes } from './facts.ts';

/** One thing that is not as it should be. Data: it is printed, counted and given as JSON. */
export interface Change {
  /** What it is about: a path, a package, a service, a user. */
  subject: string;
  /** One line for a person, in the infinitive: `install nginx`, `write /etc/ssh/sshd_config.d/00-fnrun.conf`. */
  what: string;
  /** Text of a file as it is and shall be, for a diff; null: there is none. Absent: nothing to compare. Never a secret. */
  before?: string | null;
  after?: string | null;
}

/** What every step has to work with. */
export interface SetupContext {
  machine: Machine;
  /** Gathered once, before the first step; steps read what else they need from the machine. */
  facts: MachineFacts;
  /** What the caller asked for. */
  wishes: Wishes;
  /** One line below the step in the live list, for what takes long. */
  tell: (line: string) => void;
  signal: AbortSignal;
}

/**
 * One thing that setup sees to. A second run right after the first finds nothing to change. Steps run in the order of
 * `steps.ts`; `check` must also do on a machine where no earlier step has been applied (`--plan` on a bare one).
 */
export interface Step {
  /** Short and stable, for `--json` and messages: `sshd`. */
  id: string;
  /** One line, what holds when it is done: `ssh takes keys only`. */
  title: string;
  /** What is to change; empty: nothing. Reads the machine and changes nothing. */
  check(context: SetupContext): Promise<Change[]>;
  /** Makes the changes that `check` has just told. Throws FN_SETUP_FAILED with what a person needs. May be run again after it failed half-way. */
  apply(context: SetupContext, changes: readonly Change[]): Promise<void>;
}
