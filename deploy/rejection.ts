import { FnrunError } from '../runtime/contract/errors.ts';

/** A push or switch that is refused, with all that its pusher should read. */
export class Rejection extends FnrunError {
  /** Shown before the refusal itself: the formatted problems. */
  readonly details: string | null;
  /** One line for the deployment's record; the message when there is nothing better. */
  readonly record: string;

  constructor(message: string, options: { hint: string; details?: string; record?: string }) {
    super('FN_PUSH_REJECTED', message, { hint: options.hint });
    this.details = options.details ?? null;
    this.record = options.record ?? message;
  }
}
