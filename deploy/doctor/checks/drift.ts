import { doctorLimits } from '../../../runtime/contract/limits.ts';
import type { Finding } from '../../mysql/doctor/finding.ts';
import type { SetupContext, Step } from '../../server/step.ts';
import { steps } from '../../server/steps.ts';
import type { DoctorContext, MachineCheck } from '../check.ts';

/** A check for each step of setup: what is no longer as setup left it. */
export const driftChecks: readonly MachineCheck[] = steps.map(driftCheck);

export function driftCheck(step: Step): MachineCheck {
  return {
    id: `setup-${step.id}`,
    async check(context) {
      const { wishes, machine, facts, signal, target } = context;
      if (wishes === null) return { skipped: 'not set up by fnrun' };
      if (!facts.root) return { skipped: 'only root can compare' };
      // What is pending is told by the check of updates.
      const given: SetupContext = {
        machine,
        facts,
        signal,
        wishes: { ...wishes, upgrade: false },
        tell: () => undefined,
      };
      const changes = await step.check(given);
      return {
        findings: changes.length === 0 ? [] : [driftFinding(step, { changes, target })],
        seen: 'as setup left it',
      };
    },
  };
}

function driftFinding(
  step: Step,
  { changes, target }: { changes: readonly { what: string }[]; target: DoctorContext['target'] },
): Finding {
  const told = changes.slice(0, doctorLimits.namesShown).map(({ what }) => what);
  const more = changes.length > told.length ? ` and ${changes.length - told.length} more` : '';
  return {
    id: `setup-${step.id}`,
    severity: 'warning',
    what: `not as setup leaves it: ${step.title}`,
    measured: `it would ${told.join(', ')}${more}`,
    todo: `fnrun server setup ${target} --plan shows it, without --plan puts it right`,
  };
}
