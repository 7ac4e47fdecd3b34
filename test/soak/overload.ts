import { setTimeout as delay } from 'node:timers/promises';
import { openLoop } from '../bench/load/run-open-loop.ts';
import type { OpenLoopResult } from '../bench/load/open-loop.ts';
import { printVerdict } from './report.ts';
import type { SoakApp } from './soak-app.ts';
import { startSoakApp } from './soak-app.ts';

/** A function whose capacity is its own and no matter of the machine: so many at once, each so long. */
const concurrency = 4;
const serviceMs = 40;
/** What it can carry, each second. */
export const capacity = (concurrency * 1000) / serviceMs;

/** The files of the function that is overloaded. */
export function narrowFiles(): Record<string, string> {
  const source = `export const config = { concurrency: ${concurrency}, minWorkers: 1, maxWorkers: 1 };
    export default async () => {
      await new Promise((resolve) => setTimeout(resolve, ${serviceMs}));
      return new Response('fine');
    };\n`;
  return { 'functions/narrow/index.ts': source };
}

/** What came of offering more than can be carried. */
export interface OverloadResult {
  /** Goodput with just as much as it can carry, and with three times as much. */
  peak: number;
  during: OpenLoopResult;
  /** Before, and from two seconds after the overload on. */
  p99Before: number;
  p99After: number;
}

/** Offers three times what a function can carry for `seconds`, and looks at it before and after. */
export async function overload(app: SoakApp, { seconds }: { seconds: number }): Promise<OverloadResult> {
  const url = `${app.url}/narrow`;
  const half = { requestsPerSecond: capacity / 2, seconds: 2, warmUpSeconds: 0.3, connections: 512 };
  const before = await openLoop(url, half);
  const full = await openLoop(url, { ...half, requestsPerSecond: capacity, seconds: Math.min(3, seconds) });
  const during = await openLoop(url, { ...half, requestsPerSecond: 3 * capacity, seconds, connections: 4_096 });
  await delay(2_000);
  const after = await openLoop(url, half);
  return { peak: full.goodput, during, p99Before: before.ok.p99, p99After: after.ok.p99 };
}

/** What was promised of an overload, and whether it held. */
export function claimsOf({ peak, during, p99Before, p99After }: OverloadResult): [string, boolean][] {
  const others = Object.keys(during.outcomes).filter((outcome) => outcome !== '200' && outcome !== '503');
  return [
    [`goodput is at least 0.9 of the peak: ${(during.goodput / peak).toFixed(2)}`, during.goodput >= 0.9 * peak],
    [`what cannot be served gets 503 and nothing else: ${others.join(', ') || 'nothing else'}`, others.length === 0],
    [`a 503 comes at once: p50 ${during.refused.p50} ms`, during.refused.p50 < 100],
    [`two seconds later p99 is as before: ${p99Before} ms, then ${p99After} ms`, p99After <= 2 * p99Before + 50],
  ];
}

/** `npm run soak -- overload`. */
export async function overloadSoak(): Promise<boolean> {
  await using app = await startSoakApp(narrowFiles());
  const result = await overload(app, { seconds: 60 });
  console.log(`  ${JSON.stringify(result)}`);
  return printVerdict(claimsOf(result));
}
