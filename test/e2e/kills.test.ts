import { expect, test } from 'vitest';
import { pushSteps } from '../../deploy/steps.ts';
import { killAtEach } from '../support/kill-run.ts';

/** One for each step; `npm run soak -- kills` does a hundred. */
const kills = pushSteps.length;
// Before git is told, the old release; from the move of the ref on, the new one.
const acceptedAt = pushSteps.indexOf('accepted');

test(
  'a server that is killed at any step of a push leaves the old release or the new one, with its ref and its record',
  { timeout: 180_000 },
  async () => {
    const steps = Array.from({ length: kills }, (_, n) => pushSteps[n % pushSteps.length]!);
    let done = 0;
    for await (const { step, outcome, answers } of killAtEach(steps)) {
      done += 1;
      expect.soft(outcome, step).toBe(pushSteps.indexOf(step) <= acceptedAt ? 'old' : 'new');
      expect.soft(answers, step).toBeGreaterThan(0);
    }
    expect(done).toBe(kills);
  },
);
