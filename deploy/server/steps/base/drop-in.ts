import { checkFile, writeFile, type WantedFile } from '../../files.ts';
import { must } from '../../must.ts';
import type { Change, SetupContext, Step } from '../../step.ts';

export interface DropIn {
  id: string;
  title: string;
  /** The files as they shall be; empty: nothing is to be done on this machine. */
  files: (context: SetupContext) => WantedFile[] | Promise<WantedFile[]>;
  /** What else is to change. */
  more?: (context: SetupContext) => Promise<Change[]>;
  /** Has the files take effect; after they were written. May be run again. */
  activate: (context: SetupContext) => Promise<void>;
}

/**
 * A step that is made of files, and of what makes a program read them. That files are written but not yet in effect is
 * noted in /run, which is empty after a boot, when all is read anew: so a run that broke in between is gone on with.
 */
export function dropIn({ id, title, files, more, activate }: DropIn): Step {
  const note = `/run/fnrun-setup/${id}`;
  return {
    id,
    title,
    check: async (context) => {
      const { machine } = context;
      const changes: Change[] = [];
      for (const file of await files(context)) {
        const change = await checkFile(machine, file);
        if (change !== null) changes.push(change);
      }
      if (changes.length === 0 && (await machine.run(['test', '-e', note])).code === 0) {
        changes.push({ subject: id, what: 'bring into effect what an earlier run has written' });
      }
      return [...changes, ...((await more?.(context)) ?? [])];
    },
    apply: async (context) => {
      const { machine } = context;
      await must(machine, ['sh', '-c', 'mkdir -p /run/fnrun-setup && : > "$1"', 'sh', note]);
      for (const file of await files(context)) {
        if ((await checkFile(machine, file)) !== null) await writeFile(machine, file);
      }
      await activate(context);
      await must(machine, ['rm', '-f', '--', note]);
    },
  };
}
