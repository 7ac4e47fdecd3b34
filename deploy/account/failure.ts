import { Rejection } from '../rejection.ts';
import type { Account } from './account.ts';
import { describeError, tellRefusal } from './lines.ts';

/** Tells why a deployment failed; the last line is the one thing to do. */
export function tellFailure(account: Account, error: unknown): void {
  if (error instanceof Rejection && error.details !== null) account.write(error.details);
  tellRefusal(account, {
    ...describeError(error),
    label: error instanceof Rejection ? error.label : 'rejected',
  });
}
