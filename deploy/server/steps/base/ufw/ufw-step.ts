import { must } from '../../../must.ts';
import { installPackages } from '../../../packages.ts';
import type { Change, Step } from '../../../step.ts';
import { changeWithWayBack } from '../way-back.ts';
import { planUfw } from './plan-ufw.ts';
import { readUfw, type UfwState } from './ufw-state.ts';

const files = ['/etc/default/ufw', '/etc/ufw/ufw.conf', '/etc/ufw/user.rules', '/etc/ufw/user6.rules'];
const before = '/run/fnrun-setup/ufw.before.tar';

/** What comes in is for ssh and for nginx. Taken back unless a new login succeeds. */
export const ufwStep: Step = {
  id: 'ufw',
  title: 'the firewall lets in ssh, http and https only',
  check: async ({ machine, facts }) => {
    const plan = planUfw(await readUfw(machine), { sshPorts: facts.sshPorts });
    return plan.map(({ what }): Change => ({ subject: 'ufw', what }));
  },
  apply: async (context) => {
    const { machine, facts } = context;
    await installPackages(context, ['ufw']);
    const state = await readUfw(machine);
    const plan = planUfw(state, { sshPorts: facts.sshPorts });
    await must(machine, ['sh', '-e', '-c', 'mkdir -p /run/fnrun-setup; tar -cpf "$0" "$@"', before, ...files]);
    await changeWithWayBack(context, {
      id: 'ufw',
      subject: 'the firewall',
      undo: undoUfw(state),
      change: async () => {
        // ssh is allowed before anything is denied: that is the order of the plan.
        for (const { argv } of plan) await must(machine, argv);
      },
    });
  },
};

/** With the rules that there were, and on only if it was. */
function undoUfw(state: UfwState | null): string {
  return [
    'ufw --force disable',
    `tar -xpf ${before} -C /`,
    state?.active === true ? 'ufw --force enable' : 'ufw --force disable',
  ].join('\n');
}
