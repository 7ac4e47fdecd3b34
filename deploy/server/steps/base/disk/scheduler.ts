import type { WantedFile } from '../../../files.ts';
import { checkFile, writeFile } from '../../../files.ts';
import type { Machine } from '../../../machine.ts';
import { must } from '../../../must.ts';
import type { Change, Step } from '../../../step.ts';
import { misfits, parseDisks, type Disk } from './disks.ts';

const rule: WantedFile = {
  path: '/etc/udev/rules.d/60-fnrun-scheduler.rules',
  text: `# Written by fnrun server setup, because a disk had another scheduler: a change here is undone by the next one.
# A disk with many queues, and any NVMe, orders its requests better than the kernel can: none. One with a single
# queue gets mq-deadline, under which no read waits long behind writes.
ACTION!="add|change", GOTO="fnrun_end"
SUBSYSTEM!="block", GOTO="fnrun_end"
ENV{DEVTYPE}!="disk", GOTO="fnrun_end"
KERNEL=="nvme*n*", ATTR{queue/scheduler}="none", GOTO="fnrun_end"
KERNEL!="vd*|sd*|xvd*", GOTO="fnrun_end"
TEST=="mq/1", ATTR{queue/scheduler}="none", GOTO="fnrun_end"
TEST=="mq/0", ATTR{queue/scheduler}="mq-deadline"
LABEL="fnrun_end"
`,
};

/** Disks have the scheduler that fits them. Where they have it anyhow, which is mostly so, nothing is written. */
export const schedulerStep: Step = {
  id: 'scheduler',
  title: 'disks have the I/O scheduler that fits them',
  check: async ({ machine, facts }) => {
    if (facts.container) return [];
    const wrong = misfits(await readDisks(machine));
    const changes: Change[] = wrong.map(({ name, scheduler, wanted }) => ({
      subject: name,
      what: `set the scheduler of ${name} from ${scheduler} to ${wanted}`,
    }));
    const there = (await machine.run(['test', '-e', rule.path])).code === 0;
    const change = there || wrong.length > 0 ? await checkFile(machine, rule) : null;
    return change === null ? changes : [change, ...changes];
  },
  apply: async ({ machine }) => {
    await writeFile(machine, rule);
    await must(machine, ['udevadm', 'control', '--reload']);
    await must(machine, ['udevadm', 'trigger', '--settle', '--action=change', '--subsystem-match=block']);
  },
};

async function readDisks(machine: Machine): Promise<Disk[]> {
  const look = [
    'for disk in /sys/block/*; do',
    '  [ -e "$disk/device" ] && [ -r "$disk/queue/scheduler" ] || continue',
    '  echo "${disk##*/} $(ls "$disk/mq" 2>/dev/null | wc -l) $(cat "$disk/queue/scheduler")"',
    'done',
  ].join('\n');
  return parseDisks(await must(machine, ['sh', '-c', look]));
}
