import { FnrunError } from '../runtime/contract/errors.ts';

/** What a refusal is told and recorded with. */
export interface RejectionOptions {
  /** The one thing to do; absent when there is nothing, or the message says it. */
  hint?: string;
  /** Shown before the refusal itself: the formatted problems. */
  details?: string;
  /** One line for the deployment's record. @default the message */
  record?: string;
  /** First word of the line that its pusher reads. @default "rejected" */
  label?: string;
  /** What becomes of the record. @default "failed" */
  state?: 'failed' | 'cancelled';
}

/** What a refused push leaves behind, as its pusher reads it. */
export function whatGoesOn({ live }: { live: object | null }): string {
  return live === null ? 'nothing is live yet' : 'what was live goes on';
}

/** A push or switch that is refused, with all that its pusher should read. */
export class Rejection extends FnrunError {
  readonly details: string | null;
  readonly record: string;
  readonly label: string;
  readonly state: 'failed' | 'cancelled';

  constructor(message: string, { hint, details, record, label, state }: RejectionOptions) {
    super('FN_PUSH_REJECTED', message, hint === undefined ? {} : { hint });
    this.details = details ?? null;
    this.record = record ?? message;
    this.label = label ?? 'rejected';
    this.state = state ?? 'failed';
  }
}
