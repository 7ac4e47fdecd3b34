import { FnrunError } from '../../runtime/contract/errors.ts';
import type { Change, SetupContext, Step } from './step.ts';

/** A step with what it would change; empty: nothing. */
export interface PlannedStep {
  id: string;
  title: string;
  changes: Change[];
}

/** What became of a step. */
export interface StepOutcome extends PlannedStep {
  state: 'unchanged' | 'changed' | 'failed' | 'not run';
  ms: number;
}

/** A whole setup. */
export interface SetupOutcome {
  steps: StepOutcome[];
  /** Why the step in state `failed` did; null when none has. */
  error: FnrunError | null;
  /** Whether it ended between two steps because the caller wanted it to. */
  stopped: boolean;
}

/** Hears of each step as it goes. */
export interface SetupObserver {
  begin(step: Step): void;
  end(outcome: StepOutcome): void;
}

/** What every step would change. Changes nothing. Rejects with FN_SETUP_FAILED, FN_SSH_FAILED, or the reason of `signal`. */
export async function planSetup(steps: readonly Step[], context: SetupContext): Promise<PlannedStep[]> {
  const planned: PlannedStep[] = [];
  for (const step of steps) {
    context.signal.throwIfAborted();
    const { id, title } = step;
    try {
      planned.push({ id, title, changes: await step.check(context) });
    } catch (error) {
      throw stepError(step, error);
    }
  }
  return planned;
}

/**
 * Has each step in turn look, make its changes, and look again. Ends at the first that fails, and before the next one when
 * `signal` aborts: a step that has begun is never cut short. Never rejects.
 */
export async function runSetup(
  steps: readonly Step[],
  { context, observer }: { context: SetupContext; observer: SetupObserver },
): Promise<SetupOutcome> {
  const outcomes: StepOutcome[] = [];
  let error: FnrunError | null = null;
  for (const step of steps) {
    const { id, title } = step;
    if (error !== null || context.signal.aborted) {
      outcomes.push({ id, title, changes: [], state: 'not run', ms: 0 });
      continue;
    }
    observer.begin(step);
    const began = performance.now();
    const changes: Change[] = [];
    let state: StepOutcome['state'];
    try {
      changes.push(...(await step.check(context)));
      state = changes.length === 0 ? 'unchanged' : 'changed';
      if (changes.length > 0) await make(step, { context, changes });
    } catch (cause) {
      error = stepError(step, cause);
      state = 'failed';
    }
    const outcome = { id, title, changes, state, ms: Math.round(performance.now() - began) };
    outcomes.push(outcome);
    observer.end(outcome);
  }
  return { steps: outcomes, error, stopped: error === null && outcomes.some(({ state }) => state === 'not run') };
}

async function make(
  step: Step,
  { context, changes }: { context: SetupContext; changes: readonly Change[] },
): Promise<void> {
  await step.apply(context, changes);
  const left = await step.check(context);
  if (left.length === 0) return;
  throw new FnrunError(
    'FN_SETUP_FAILED',
    `it was applied, and still there is to do: ${left.map(({ what }) => what).join(', ')}`,
    {
      hint: 'something on the machine changes it back, or the step is wrong: compare with fnrun server setup --plan',
    },
  );
}

function stepError({ id }: Step, error: unknown): FnrunError {
  const message = error instanceof Error ? error.message : String(error);
  const known = error instanceof FnrunError ? error : null;
  return new FnrunError(known?.code ?? 'FN_SETUP_FAILED', `Step ${id}: ${message}`, {
    cause: error,
    ...(known?.hint != null && { hint: known.hint }),
  });
}
