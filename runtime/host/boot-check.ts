import type { BootCheckEntry } from '../contract/ipc.ts';
import { workerLimits } from '../contract/limits.ts';
import type { Assignment, FrameField, ToHostControl } from '../channel/frames.ts';
import { loadFailure } from './load-failure.ts';
import type { Thread } from '../pool/thread-pool.ts';

/** Threads that check at the same time. */
const parallel = 2;

/** What a boot check needs. */
export interface BootCheckOptions {
  takeThread: () => Thread | null;
}

/**
 * Loads every function in a real worker. Functions share a few threads, one after the
 * other, which makes a release of twenty a matter of milliseconds; one that fails in company is
 * judged again alone in a fresh thread, so that no neighbour's globals decide.
 */
export async function bootCheck(
  assignments: readonly Assignment[],
  options: BootCheckOptions,
): Promise<BootCheckEntry[]> {
  const shares = Array.from({ length: Math.min(parallel, assignments.length) }, (_, share) =>
    assignments.filter((_assignment, index) => index % parallel === share),
  );
  const results = (await Promise.all(shares.map((share) => checkShare(share, options)))).flat();
  const order = new Map(assignments.map((assignment, index) => [assignment.name, index]));
  return results.sort((a, b) => order.get(a.name)! - order.get(b.name)!);
}

async function checkShare(share: readonly Assignment[], options: BootCheckOptions): Promise<BootCheckEntry[]> {
  const entries: BootCheckEntry[] = [];
  let rest = [...share];
  while (rest.length > 0) {
    const alone = rest.length === 1;
    const told = await checkInThread(rest, options);
    const bad = told.find((entry) => entry.error !== null);
    if (bad === undefined || alone) {
      entries.push(...told);
      rest = rest.slice(told.length);
      continue;
    }
    const good = told.slice(0, told.indexOf(bad));
    const [failed, ...after] = rest.slice(good.length);
    entries.push(...good, ...(await checkInThread([failed!], options)));
    rest = after;
  }
  return entries;
}

/** Checks in turn in one thread; stops after the first that fails. */
async function checkInThread(assignments: Assignment[], { takeThread }: BootCheckOptions): Promise<BootCheckEntry[]> {
  const thread = takeThread();
  if (thread === null)
    return [loadFailure(assignments[0]!.name, 'FN_OVERLOADED', 'no thread is free for the boot check')];
  const told: BootCheckEntry[] = [];
  await new Promise<void>((resolve) => {
    let timer: NodeJS.Timeout;
    const end = (entry: BootCheckEntry | null): void => {
      clearTimeout(timer);
      if (entry !== null) told.push(entry);
      resolve();
    };
    const arm = (): void => {
      clearTimeout(timer);
      const name = assignments[told.length]!.name;
      const message = `the module did not load within ${workerLimits.loadMs} ms`;
      timer = setTimeout(() => end(loadFailure(name, 'FN_LOAD_TIMEOUT', message)), workerLimits.loadMs);
    };
    thread.port.on('message', (message: FrameField[] | ToHostControl) => {
      if (Array.isArray(message) || told.length >= assignments.length) return;
      const name = assignments[told.length]!.name;
      if (message.type === 'faulty') {
        end(loadFailure(name, 'FN_LOAD_FAILED', `an error escaped the module while it loaded: ${message.message}`));
        return;
      }
      if (message.type !== 'loaded') return;
      const entry = message as unknown as BootCheckEntry;
      told.push({ name: entry.name, reused: false, ms: entry.ms, inspection: entry.inspection, error: entry.error });
      if (entry.error !== null || told.length === assignments.length) end(null);
      else arm();
    });
    void thread.ended.then((reason) => {
      if (told.length === assignments.length || (told.at(-1)?.error ?? null) !== null) return;
      end(
        loadFailure(
          assignments[told.length]!.name,
          'FN_LOAD_FAILED',
          `the thread ended while the module loaded: ${reason}`,
        ),
      );
    });
    arm();
    thread.port.postMessage({ type: 'check', assignments });
  });
  void thread.terminate('checked');
  return told;
}
