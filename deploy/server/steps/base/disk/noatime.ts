import { must } from '../../../must.ts';
import type { SetupContext, Step } from '../../../step.ts';
import { addNoatime } from './fstab.ts';
import { fstab, readFstab, writeFstab } from './write-fstab.ts';

/** Reading a file writes nothing. A root that is not in /etc/fstab is mounted by somebody else, and left alone. */
export const noatimeStep: Step = {
  id: 'noatime',
  title: 'reading a file does not write to the disk',
  check: async ({ machine, facts }) => {
    if (facts.container) return [];
    const before = await readFstab(machine);
    const after = addNoatime(before);
    return after === null ? [] : [{ subject: fstab, what: `change ${fstab}: noatime for /`, before, after }];
  },
  apply: async ({ machine }: SetupContext) => {
    const after = addNoatime(await readFstab(machine));
    if (after === null) return;
    // First what can be taken back: with the option, but not yet in the file. Everything else stays as it is mounted.
    await must(machine, ['mount', '-o', 'remount,noatime', '/']);
    await writeFstab(machine, after);
  },
};
