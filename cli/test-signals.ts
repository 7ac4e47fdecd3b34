import type { PushStep } from '../deploy/steps.ts';

const signals = { FNRUN_TEST_KILL_AT: 'SIGKILL', FNRUN_TEST_STOP_AT: 'SIGSTOP' } as const;

/**
 * For tests of what is left when the server ends, or what happens meanwhile, at a step of a push:
 * `FNRUN_TEST_KILL_AT=build@2` ends it with SIGKILL when a push gets to that step for the second time,
 * `FNRUN_TEST_STOP_AT` stops it (SIGSTOP) until somebody continues it. Undefined, and so not even called, without them.
 */
export function testSignals(env: NodeJS.ProcessEnv): ((step: PushStep) => void) | undefined {
  const wanted = Object.entries(signals).flatMap(([name, signal]) => {
    const [step = '', nth = '1'] = (env[name] ?? '').split('@');
    return step === '' ? [] : [{ step, signal, left: Number(nth) }];
  });
  if (wanted.length === 0) return undefined;
  return (step) => {
    for (const one of wanted) {
      if (one.step !== step) continue;
      one.left -= 1;
      if (one.left === 0) process.kill(process.pid, one.signal);
    }
  };
}
