import { setupLimits } from '../../../../runtime/contract/limits.ts';
import { finishInstallations, listsAgeHours, mustApt, refreshLists } from '../../packages.ts';
import type { Machine } from '../../machine.ts';
import type { Change, SetupContext, Step } from '../../step.ts';

/** Packages have their latest version. A machine that needs a reboot for it is not rebooted: that is for a person to choose the time of. */
export const upgradeStep: Step = {
  id: 'upgrade',
  title: 'packages are up to date',
  check: async ({ machine, wishes }) => {
    if (!wishes.upgrade) return [];
    const changes: Change[] = [];
    const hours = await listsAgeHours(machine);
    if (hours > setupLimits.aptListsHours) {
      const age = hours === Infinity ? 'there are none' : `they are ${Math.round(hours)} hours old`;
      changes.push({ subject: 'apt', what: `fetch the package lists: ${age}` });
    }
    const names = await upgradable(machine);
    if (names === null) return [...changes, { subject: 'apt', what: 'finish what an earlier apt has left half-done' }];
    const shown = names.length <= 8 ? names : [...names.slice(0, 8), '…'];
    if (names.length > 0) changes.push({ subject: 'apt', what: `upgrade ${names.length}: ${shown.join(', ')}` });
    return changes;
  },
  apply: async (context) => {
    const { machine, tell } = context;
    if ((await listsAgeHours(machine)) > setupLimits.aptListsHours) await refreshLists(context);
    let names = await upgradable(machine);
    if (names === null) {
      await finishInstallations(context);
      names = await upgradable(machine);
    }
    if (names === null || names.length > 0) {
      tell(`upgrading ${names?.length ?? 'all'} packages`);
      await mustApt(machine, ['--with-new-pkgs', 'upgrade']);
    }
    await tellOfReboot(context);
  },
};

/** Names of the packages that an upgrade would replace or add, but for those held back or phased; null: apt refuses, as after one that was killed. */
async function upgradable(machine: Machine): Promise<string[] | null> {
  const look = [
    // An upgrade would find nothing to do with these.
    "if dpkg-query -W -f '${db:Status-Status}\\n' | grep -Eq '^(unpacked|half-|triggers-)'; then exit 44; fi",
    'exec apt-get -s -q -o Debug::NoLocking=1 --with-new-pkgs upgrade',
  ].join('\n');
  const { code, stdout } = await machine.run(['sh', '-c', look]);
  return code === 0 ? parseSimulation(stdout) : null;
}

/** Reads what `apt-get -s` prints: `Inst libc6 [2.36-9] (2.36-10 Debian:12.9/stable [amd64])`. */
export function parseSimulation(text: string): string[] {
  return [...text.matchAll(/^Inst (\S+) /gm)].map(([, name = '']) => name);
}

async function tellOfReboot({ machine, tell, facts }: SetupContext): Promise<void> {
  if (facts.container) return;
  // Where nothing leaves a note, a kernel newer than the running one tells.
  const look = [
    '[ -e /run/reboot-required ] && exit 10',
    'newest=$(linux-version list 2>/dev/null | linux-version sort 2>/dev/null | tail -n 1)',
    '[ -z "$newest" ] || [ "$newest" = "$(uname -r)" ] || exit 10',
  ].join('\n');
  const { code } = await machine.run(['sh', '-c', look]);
  if (code === 10) tell('the machine needs a reboot to run its new kernel or libraries: do it when it suits');
}
