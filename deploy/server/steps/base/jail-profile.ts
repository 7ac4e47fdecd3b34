import type { WantedFile } from '../../files.ts';
import { must } from '../../must.ts';
import type { SetupContext } from '../../step.ts';
import { dropIn } from './drop-in.ts';

const path = '/etc/apparmor.d/fnrun-bwrap';
const text = `# Written by fnrun server setup: a change here is undone by the next one.
# The jail of builds is made by bubblewrap out of a user namespace. Ubuntu forbids these to every program without a
# profile that allows them (kernel.apparmor_restrict_unprivileged_userns). This one allows them to bubblewrap, and to
# nothing else; without it builds would run unjailed, beside the files of the server.
abi <abi/4.0>,
include <tunables/global>

profile fnrun-bwrap /usr/bin/bwrap flags=(unconfined) {
  userns,
  include if exists <local/fnrun-bwrap>
}
`;

/** Where AppArmor restricts user namespaces and no profile of bubblewrap is there: Ubuntu from 23.10. */
async function files({ machine }: SetupContext): Promise<WantedFile[]> {
  const look = [
    '[ "$(cat /proc/sys/kernel/apparmor_restrict_unprivileged_userns 2>/dev/null)" = 1 ] || exit 10',
    // The system's own profile, or the operator's: two for one program would both be void.
    'for file in /etc/apparmor.d/*; do',
    '  [ "$file" = "$1" ] || [ ! -f "$file" ] || ! grep -Eq "^ *profile[^#]*/usr/bin/bwrap" "$file" || exit 10',
    'done',
  ].join('\n');
  const { code } = await machine.run(['sh', '-c', look, 'sh', path]);
  return code === 0 ? [{ path, text }] : [];
}

export const jailProfileStep = dropIn({
  id: 'jail-profile',
  title: 'builds may make their jail',
  files,
  activate: async ({ machine }) => {
    await must(machine, ['apparmor_parser', '-r', '-W', '--', path]);
  },
});
