import { must } from './must.ts';
import type { Machine } from './machine.ts';
import type { Change } from './step.ts';

/** What is to change for the unit of systemd to run, now and after a boot. For the `check` of a step. */
export async function checkUnit(machine: Machine, unit: string): Promise<Change[]> {
  const enabled = (await machine.run(['systemctl', 'is-enabled', '--', unit])).stdout.trim();
  const active = (await machine.run(['systemctl', 'is-active', '--', unit])).stdout.trim();
  const changes: Change[] = [];
  // `static`, `generated` and the like are started by something else.
  const startsAtBoot = !['', 'disabled', 'masked', 'masked-runtime', 'not-found'].includes(enabled);
  if (!startsAtBoot) changes.push({ subject: unit, what: `enable ${unit}, so that it starts at boot` });
  if (!['active', 'activating', 'reloading'].includes(active)) changes.push({ subject: unit, what: `start ${unit}` });
  return changes;
}

/** Has the unit run, now and after a boot. Throws FN_SETUP_FAILED. */
export async function enableUnit(machine: Machine, unit: string): Promise<void> {
  await must(machine, ['systemctl', 'unmask', '--', unit]);
  await must(machine, ['systemctl', 'enable', '--now', '--', unit]);
}
