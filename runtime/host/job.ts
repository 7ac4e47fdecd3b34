import type { ErrorCode } from '../contract/errors.ts';
import type { FunctionWorker } from './worker.ts';

/** An invocation on its way to a worker. */
export interface Job {
  /** Called with a worker that has a free place; must invoke at once. `now` is `performance.now()`. */
  start(worker: FunctionWorker, now: number): void;
  /** `retryInMs`: when it may be worth trying again. */
  reject(code: ErrorCode, detail: string, retryInMs?: number): void;
  /** The client has gone: the job is not to be started. */
  readonly cancelled: boolean;
}
