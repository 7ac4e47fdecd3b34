import { join } from 'node:path';
import { findAccount, type Account } from '../../accounts.ts';
import { checkFile, readFile, writeFile, type WantedFile } from '../../files.ts';
import { must } from '../../must.ts';
import type { Machine } from '../../machine.ts';
import type { Change, SetupContext, Step } from '../../step.ts';
import { addKeys } from './authorized-keys.ts';

const name = 'deployer';
const sudoers: WantedFile = {
  path: '/etc/sudoers.d/fnrun-deployer',
  mode: 0o440,
  text: `# Written by fnrun server setup: a change here is undone by the next one.
# Without a password: the account has none. Whoever holds its key is the administrator; a password would be one more
# secret to keep beside it, typed into a machine that may be somebody else's by then. And setup itself runs over it.
${name} ALL=(ALL:ALL) NOPASSWD: ALL
`,
};

/** The administrator: logs in with the caller's keys, and becomes root by sudo. */
export const deployerStep: Step = {
  id: 'deployer',
  title: `the administrator ${name} logs in with your key`,
  check: async ({ machine, wishes }) => {
    const account = await findAccount(machine, name);
    const changes: Change[] = account === null ? [{ subject: name, what: `add the user ${name}` }] : [];
    const files = [sudoers, await keysFile(machine, { account, keys: wishes.adminKeys })];
    for (const file of files) {
      const change = await checkFile(machine, file);
      if (change !== null) changes.push(change);
    }
    return changes;
  },
  apply: async ({ machine, wishes }: SetupContext) => {
    if ((await findAccount(machine, name)) === null) {
      // "*": no password fits. See the user fnrun. An account that is there already keeps what it has.
      const kind = ['--create-home', '--user-group', '--shell', '/bin/bash', '--password', '*'];
      await must(machine, ['useradd', ...kind, '--comment', 'administrator', '--', name]);
    }
    const account = await findAccount(machine, name);
    const keys = await keysFile(machine, { account, keys: wishes.adminKeys });
    if ((await checkFile(machine, keys)) !== null) await writeKeys(machine, keys);
    // sudo refuses to work at all with a file that it cannot read.
    await must(machine, ['visudo', '-c', '-q', '-f', '-'], { input: sudoers.text });
    if ((await checkFile(machine, sudoers)) !== null) await writeFile(machine, sudoers);
  },
};

async function keysFile(
  machine: Machine,
  { account, keys }: { account: Account | null; keys: readonly string[] },
): Promise<WantedFile> {
  const { home, group } = account ?? { home: `/home/${name}`, group: name };
  const path = join(home, '.ssh/authorized_keys');
  const there = await readFile(machine, path);
  return { path, text: addKeys(there?.text ?? '', keys), mode: 0o600, owner: `${name}:${group}` };
}

async function writeKeys(machine: Machine, file: WantedFile): Promise<void> {
  const folder = join(file.path, '..');
  await must(machine, [
    'install',
    '-d',
    '-m',
    '0700',
    '-o',
    name,
    '-g',
    file.owner?.split(':')[1] ?? name,
    '--',
    folder,
  ]);
  await writeFile(machine, file);
}
