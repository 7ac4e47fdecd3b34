import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { OpenLoopOptions, OpenLoopResult } from './open-loop.ts';

/** Offers requests at a fixed rate from a process of its own. */
export async function openLoop(
  url: string,
  options: Omit<OpenLoopOptions, 'url' | 'timeoutMs' | 'warmUpSeconds'> & { warmUpSeconds?: number },
): Promise<OpenLoopResult> {
  const all: OpenLoopOptions = { warmUpSeconds: 1, timeoutMs: 15_000, ...options, url };
  const timeout = (all.seconds + all.warmUpSeconds) * 1000 + all.timeoutMs + 10_000;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, 'open-loop.ts'), JSON.stringify(all)],
    { timeout },
  );
  return JSON.parse(stdout) as OpenLoopResult;
}
