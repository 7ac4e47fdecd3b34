import { setTimeout as delay } from 'node:timers/promises';

/** Rejects with a sentence naming `what` when `promise` has not settled after `ms`. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** How long and how often `eventually` tries. */
export interface EventuallyOptions {
  /** @default 15000 */
  deadlineMs?: number;
  /** @default 10 */
  everyMs?: number;
}

/**
 * Calls `attempt` until it neither throws nor returns `undefined`, `false` or `null`; for things that give
 * no event to wait for. Rejects with the last failure at the deadline.
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<NonNullable<T>> {
  const { deadlineMs = 15_000, everyMs = 10 } = options;
  const end = performance.now() + deadlineMs;
  for (;;) {
    let failure: unknown = new Error(`did not come true within ${deadlineMs} ms`);
    try {
      const result = await attempt();
      if (result !== undefined && result !== null && result !== false) return result;
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= end) throw failure;
    await delay(everyMs);
  }
}
