import { pushSteps } from '../../deploy/steps.ts';
import { killAtEach } from '../support/kill-run.ts';

const kills = 100;

/** Kills the server at every step of a push, again and again; each death must leave one release, one ref, one record. */
export async function killSoak(): Promise<boolean> {
  const steps = Array.from({ length: kills }, (_, n) => pushSteps[n % pushSteps.length]!);
  const outcomes = new Map<string, { old: number; new: number; answers: number }>();
  let done = 0;
  try {
    for await (const { step, outcome, answers } of killAtEach(steps)) {
      done += 1;
      const sum = outcomes.get(step) ?? { old: 0, new: 0, answers: 0 };
      sum[outcome] += 1;
      sum.answers += answers;
      outcomes.set(step, sum);
    }
  } catch (error) {
    console.log(`after ${done} kills: ${error instanceof Error ? error.message : String(error)}`);
  }
  for (const [step, sum] of outcomes) {
    console.log(`  ${step.padEnd(9)} ${sum.old} old, ${sum.new} new, ${sum.answers} answers meanwhile`);
  }
  console.log(`${done} of ${kills} kills left one release, its ref and its record`);
  return done === kills;
}
