import { setTimeout as delay } from 'node:timers/promises';
import type { ProbeFailure, ProbeResult } from '../contract/ipc.ts';
import { deployLimits } from '../contract/limits.ts';
import type { ManifestFunction } from '../contract/manifest.ts';
import { newRequestId } from '../../router/request-id.ts';
import { readHostValue, readTarget } from '../../router/target.ts';
import type { HostApp } from './app.ts';
import type { Generation } from './generation.ts';
import { ProbeTransaction } from './probe-transaction.ts';
import { route } from './route.ts';

/** What a candidate is asked with. */
export interface ProbeOptions {
  app: HostApp;
  /** What serves now; a function that is the same there has been asked. Null: all are asked. */
  live: Generation | null;
}

interface Question {
  fn: ManifestFunction;
  path: string;
}

/** Asks each function of a candidate what its `check` setting names, a few at a time. It serves nobody else yet. */
export async function probeCandidate(next: Generation, { app, live }: ProbeOptions): Promise<ProbeResult> {
  const before = performance.now();
  const questions = questionsOf(next, live);
  const asked = questions.length;
  const failed: ProbeFailure[] = [];
  const deadline = before + deployLimits.checksMs;
  const ask = async (): Promise<void> => {
    for (let question = questions.shift(); question !== undefined; question = questions.shift()) {
      const { fn, path } = question;
      const leftMs = deadline - performance.now();
      const reason = leftMs <= 0 ? 'its turn did not come in time' : await askOne(question, { next, app, leftMs });
      if (reason !== null) failed.push({ name: fn.name, path, reason });
      // A function that nobody uses now needs no worker of the new release either.
      if ((live?.slots.get(fn.name)?.readyCount ?? 0) === 0) next.slotOf(fn).drainWorkers();
    }
  };
  await Promise.all(Array.from({ length: deployLimits.checksAtOnce }, ask));
  return { asked, failed, ms: performance.now() - before };
}

function questionsOf(next: Generation, live: Generation | null): Question[] {
  return next.manifest.functions.flatMap((fn) => {
    // Absent in what an older version inspected.
    const path = fn.inspection?.settings.check ?? null;
    const same = live !== null && next.sameCode(fn, live) && live.source.release !== next.source.release;
    return path === null || same ? [] : [{ fn, path }];
  });
}

/** Why the answer is no good; null when it is. */
async function askOne(
  { fn, path }: Question,
  { next, app, leftMs }: { next: Generation; app: HostApp; leftMs: number },
): Promise<string | null> {
  const read = readTarget(path);
  if (!read.ok) return `is no path that can be asked: ${read.reason}`;
  const found = next.matcher(read.target)?.fn ?? null;
  if (found !== fn) return found === null ? 'leads to no function' : `leads to the function ${found.name}`;
  const host = readHostValue('localhost');
  if (!host.ok) return host.reason;
  const tx = new ProbeTransaction();
  const limitMs = Math.min(leftMs, deployLimits.checkRequestMs);
  const stop = new AbortController();
  const late = delay(limitMs, `did not answer within ${Math.ceil(limitMs)} ms`, { signal: stop.signal });
  const peer = { address: '127.0.0.1', protocol: 'http' } as const;
  const arrival = { target: read.target, host: host.host, requestId: newRequestId(), peer, dev: false };
  route({ tx, app, ...arrival }, next);
  const verdict = await Promise.race([tx.answered, late]);
  stop.abort();
  late.catch(() => {});
  tx.leave();
  return verdict;
}
