import { must } from '../../../must.ts';
import { readFile } from '../../../files.ts';
import type { Change, SetupContext, Step } from '../../../step.ts';
import { addSwap } from './fstab.ts';
import { swapSizeMb } from './swap-size.ts';
import { fstab, readFstab, writeFstab } from './write-fstab.ts';

const path = '/swapfile';

/** Small machines have somewhere to put what nobody needs. */
export const swapStep: Step = {
  id: 'swap',
  title: 'a small machine has swap',
  check: async (context) => {
    const { machine } = context;
    // Ours, of an earlier run, which may have been broken off.
    const ours = (await machine.run(['test', '-e', path])).code === 0;
    if (ours) return checkOurs(context);
    const size = await wantedMb(context);
    return size === 0 ? [] : [{ subject: path, what: `make a swap file of ${size} MB` }];
  },
  apply: async (context) => {
    const { machine } = context;
    const size = await wantedMb(context);
    if (size > 0 && (await machine.run(['test', '-e', path])).code !== 0) {
      // Reserved, which ext4 and xfs swap to as it is; under its name when it is whole.
      const make = [
        'umask 077; rm -f -- "$1.fnrun-new"',
        'fallocate -l "$2M" -- "$1.fnrun-new" || { rm -f -- "$1.fnrun-new"; exit 1; }',
        'mkswap -q -- "$1.fnrun-new"; mv -- "$1.fnrun-new" "$1"',
      ].join('\n');
      await must(machine, ['sh', '-e', '-c', make, 'sh', path, String(size)]);
    }
    // In the file first: one that is in it and not on is what a run that broke off has left.
    const text = addSwap(await readFstab(machine), path);
    if (text !== null) await writeFstab(machine, text);
    if (!(await isOn(context))) await must(machine, ['swapon', '--', path]);
  },
};

async function checkOurs(context: SetupContext): Promise<Change[]> {
  const { machine } = context;
  const changes: Change[] = [];
  // One that somebody has turned off, and taken out of the file, is off because they want it so.
  const before = await readFstab(machine);
  const after = addSwap(before, path);
  const on = await isOn(context);
  if (on && after !== null) changes.push({ subject: fstab, what: `add ${path} to ${fstab}`, before, after });
  if (!on && after === null) changes.push({ subject: path, what: `turn on ${path}` });
  return changes;
}

async function isOn({ machine }: SetupContext): Promise<boolean> {
  const { stdout } = await machine.run(['cat', '/proc/swaps']);
  return stdout.split('\n').some((line) => line.startsWith(`${path} `));
}

async function wantedMb({ machine, facts }: SetupContext): Promise<number> {
  if (facts.container) return 0;
  const [filesystem = '', free = '0'] = (
    await must(machine, ['sh', '-c', 'stat -f -c %T /; df -Pm / | tail -n 1'])
  ).split('\n');
  const diskFreeMb = Number(free.trim().split(/\s+/)[3] ?? 0);
  // A swap partition that is in the file but not on yet is swap all the same.
  const planned = /^[^#]\S*\s+\S+\s+swap\s/m.test((await readFile(machine, fstab))?.text ?? '');
  return planned ? 0 : swapSizeMb({ memoryMb: facts.memoryMb, swapMb: facts.swapMb, diskFreeMb, filesystem });
}
