import { must } from '../../must.ts';
import { dropIn } from './drop-in.ts';

const path = '/etc/systemd/journald.conf.d/fnrun.conf';
const text = `# Written by fnrun server setup: a change here is undone by the next one. A file that sorts after this one wins over it.
[Journal]
# Kept over a reboot: what was logged just before is what one looks for then. fail2ban reads it too.
Storage=persistent
# Else up to 4 GB, or a tenth of the disk. The apps' own logs are not in it: they have bounds of their own.
SystemMaxUse=500M
# And what must stay free, whatever the journal has.
SystemKeepFree=1G
`;

export const journaldStep = dropIn({
  id: 'journald',
  title: "the system's journal has a bound",
  files: () => [{ path, text }],
  activate: async ({ machine }) => {
    await must(machine, ['systemctl', 'restart', 'systemd-journald.service']);
    // What was logged to memory until now goes to the disk.
    await must(machine, ['journalctl', '--flush']);
  },
});
