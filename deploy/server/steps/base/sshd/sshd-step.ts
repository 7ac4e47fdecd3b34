import { FnrunError } from '../../../../../runtime/contract/errors.ts';
import { checkFile, writeFile, type WantedFile } from '../../../files.ts';
import type { Machine } from '../../../machine.ts';
import { must } from '../../../must.ts';
import type { Step } from '../../../step.ts';
import { changeWithWayBack } from '../way-back.ts';
import { judgedUsers, judgeEffective } from './effective.ts';
import { renderSshd, sshdDropIn, undoSshd } from './render-sshd.ts';
import { readEffective, readSshd } from './sshd-facts.ts';

const before = '/run/fnrun-setup/sshd.before';

/** ssh by key only. Judged by sshd itself before it is in effect, and taken back unless a new login succeeds. */
export const sshdStep: Step = {
  id: 'sshd',
  title: 'ssh takes keys only',
  check: async ({ machine }) => {
    const wanted = await wantedFile(machine);
    // With --plan on a machine that has none yet: it comes with the packages.
    if (wanted === null) return [{ subject: sshdDropIn, what: `write ${sshdDropIn}, once sshd is there` }];
    const change = await checkFile(machine, wanted);
    if (change !== null) return [change];
    const wrong = await judge(machine);
    return wrong.map((words) => ({ subject: 'sshd', what: `mend what sshd does in spite of ${sshdDropIn}: ${words}` }));
  },
  apply: async ({ machine, tell }) => {
    const wanted = await wantedFile(machine);
    if (wanted === null) throw new FnrunError('FN_SETUP_FAILED', `No sshd is installed on ${machine.name}`);
    const keep = [
      'mkdir -p /run/fnrun-setup /run/sshd; rm -f -- "$2"',
      'if [ -e "$1" ]; then cp -p -- "$1" "$2"; fi',
    ].join('\n');
    await must(machine, ['sh', '-e', '-c', keep, 'sh', sshdDropIn, before]);
    await changeWithWayBack(
      { machine, tell },
      {
        id: 'sshd',
        subject: 'sshd',
        undo: undoSshd(before),
        change: async () => {
          await writeFile(machine, wanted);
          await must(machine, ['/usr/sbin/sshd', '-t']);
          const wrong = await judge(machine);
          if (wrong.length > 0) throw notInEffect(wrong);
          // Connections that there are stay as they are.
          await must(machine, ['systemctl', 'try-reload-or-restart', 'ssh.service']);
        },
      },
    );
  },
};

async function wantedFile(machine: Machine): Promise<WantedFile | null> {
  const facts = await readSshd(machine);
  return facts === null ? null : { path: sshdDropIn, text: renderSshd(facts) };
}

/** What is wrong with logins of those whom setup cares for. */
async function judge(machine: Machine): Promise<string[]> {
  const wrong: string[] = [];
  for (const user of judgedUsers) {
    const effective = await readEffective(machine, user);
    if (effective === null) return ['sshd -T says that its configuration is not valid'];
    const groups = (await machine.run(['id', '-Gn', '--', user])).stdout.trim().split(/\s+/);
    wrong.push(...judgeEffective(effective, { user, groups }));
  }
  return wrong;
}

function notInEffect(wrong: readonly string[]): FnrunError {
  return new FnrunError('FN_SETUP_FAILED', `sshd would not do as ${sshdDropIn} says: ${wrong.join('; ')}`, {
    hint: '/etc/ssh/sshd_config must begin with Include /etc/ssh/sshd_config.d/*.conf; a Match block or a list of users there wins over it: change that one, and run setup again',
  });
}
