import { installedPackages, installPackages } from '../../packages.ts';
import { checkUnit, enableUnit } from '../../units.ts';
import type { SetupContext, Step } from '../../step.ts';

/** Others that set the clock: where one is, it stays. */
const others = ['chrony', 'ntpsec', 'ntp', 'openntpd'];
const timesyncd = 'systemd-timesyncd';

/** In a container the clock is the host's. */
async function isOurs({ machine, facts }: SetupContext): Promise<boolean> {
  return !facts.container && (await installedPackages(machine, others)).size === 0;
}

/** A wrong clock makes certificates invalid, and logs that agree with nobody's. */
export const clockStep: Step = {
  id: 'clock',
  title: 'the clock is set over the network',
  check: async (context) => {
    if (!(await isOurs(context))) return [];
    const { machine } = context;
    if (!(await installedPackages(machine, [timesyncd])).has(timesyncd)) {
      return [{ subject: timesyncd, what: `install ${timesyncd}, which sets the clock` }];
    }
    return checkUnit(machine, `${timesyncd}.service`);
  },
  apply: async (context) => {
    await installPackages(context, [timesyncd]);
    await enableUnit(context.machine, `${timesyncd}.service`);
  },
};
