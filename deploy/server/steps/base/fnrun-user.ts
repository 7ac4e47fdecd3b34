import { findAccount } from '../../accounts.ts';
import { must } from '../../must.ts';
import type { Change, SetupContext, Step } from '../../step.ts';

const name = 'fnrun';
const home = '/var/lib/fnrun';
// sshd runs the command of a key with it. There is no other way in: no password, and no key without a command.
const shell = '/bin/sh';

/** The user that the server runs as, and that pushes go to. */
export const fnrunUserStep: Step = {
  id: 'fnrun-user',
  title: `the user ${name} is there`,
  check: async (context) => [...(await checkAccount(context)), ...(await checkHome(context))],
  apply: async ({ machine }) => {
    const account = await findAccount(machine, name);
    if (account === null) {
      // "*": no password fits, as for "!", which sshd without PAM takes for an account that is locked altogether.
      const kind = ['--system', '--user-group', '--no-create-home', '--password', '*'];
      await must(machine, ['useradd', ...kind, '--home-dir', home, '--shell', shell, '--', name]);
    } else if (account.home !== home || account.shell !== shell) {
      await must(machine, ['usermod', '--home', home, '--shell', shell, '--', name]);
    }
    // Its mode, once it is there, is the daemon's business.
    const make = '[ -d "$1" ] || install -d -m 0750 -- "$1"; chown -- "$2:" "$1"; chmod -- g-w,o-rw "$1"';
    await must(machine, ['sh', '-e', '-c', make, 'sh', home, name]);
  },
};

async function checkAccount({ machine }: SetupContext): Promise<Change[]> {
  const account = await findAccount(machine, name);
  if (account === null) return [{ subject: name, what: `add the system user ${name}, whose home is ${home}` }];
  const changes: Change[] = [];
  if (account.home !== home) changes.push({ subject: name, what: `set its home from ${account.home} to ${home}` });
  if (account.shell !== shell) changes.push({ subject: name, what: `set its shell from ${account.shell} to ${shell}` });
  return changes;
}

async function checkHome({ machine }: SetupContext): Promise<Change[]> {
  const { code, stdout } = await machine.run(['stat', '-c', '%a %U %F', '--', home]);
  if (code !== 0) return [{ subject: home, what: `make ${home}` }];
  // sshd reads no keys where others may write. 0751 where apps have users of their own, else 0750.
  return /^\d*7[0145][01] fnrun directory$/.test(stdout.trim())
    ? []
    : [{ subject: home, what: `let ${home} be ${name}'s, and be written by no other` }];
}
