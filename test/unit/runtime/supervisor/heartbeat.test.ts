import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { hostLimits } from '../../../../runtime/contract/limits.ts';
import { Heartbeat } from '../../../../runtime/supervisor/heartbeat.ts';
import type { HostProcess } from '../../../../runtime/supervisor/host-process.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A process that answers nothing, and what was made of it. */
function silent(waitedShare: () => number | null): { silentMs: number[]; heartbeat: Heartbeat } {
  const host = {
    pid: 0,
    heardAt: -1,
    plan: { limits: { idleStopMs: 0 } },
    request: (_message: unknown, { deadlineMs }: { deadlineMs: number }) =>
      new Promise((_resolve, reject) => setTimeout(() => reject(new Error('no answer')), deadlineMs)),
  };
  const silentMs: number[] = [];
  let waited = 0;
  let at = performance.now();
  const heartbeat = new Heartbeat(host as unknown as HostProcess, {
    onPulse: () => {},
    onSilent: (ms) => silentMs.push(ms),
    waitedMs() {
      const share = waitedShare();
      waited += (performance.now() - at) * (share ?? 0);
      at = performance.now();
      return share === null ? null : waited;
    },
  });
  return { silentMs, heartbeat };
}

const { pingMs, pingAnswerMs, starvedMs } = hostLimits;

test.each([0.2, null])(
  'a host that could have answered is given up after two questions (%j in line)',
  async (share) => {
    const { silentMs, heartbeat } = silent(() => share);
    await vi.advanceTimersByTimeAsync(pingMs + 2 * pingAnswerMs - 1);
    expect(silentMs).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(silentMs).toEqual([2 * pingAnswerMs]);
    heartbeat.stop();
  },
);

test('one that stands in line for a CPU is asked on, but not for ever', async () => {
  const { silentMs, heartbeat } = silent(() => 0.9);
  await vi.advanceTimersByTimeAsync(pingMs + starvedMs - 1);
  expect(silentMs).toEqual([]);
  await vi.advanceTimersByTimeAsync(pingAnswerMs);
  expect(silentMs).toEqual([starvedMs]);
  heartbeat.stop();
});

test('one that had its turn and says nothing is given up then', async () => {
  let share = 0.9;
  const { silentMs, heartbeat } = silent(() => share);
  await vi.advanceTimersByTimeAsync(pingMs + 2 * pingAnswerMs + 1);
  share = 0;
  await vi.advanceTimersByTimeAsync(2 * pingAnswerMs);
  expect(silentMs).toEqual([4 * pingAnswerMs]);
  heartbeat.stop();
});
