import type { MachineFacts } from '../../facts.ts';
import { must } from '../../must.ts';
import { checkUnit } from '../../units.ts';
import { dropIn } from './drop-in.ts';

// After the distribution's defaults-debian.conf; the operator's jail.local and jail.d/*.local win over it.
const path = '/etc/fail2ban/jail.d/fnrun.conf';

// fail2ban's filter does not count who names a user that there is, is asked for a key and hangs up: all that a guesser of
// passwords does where sshd takes none. Its mode `aggressive` would, but counts who names nobody too.
const filter = {
  path: '/etc/fail2ban/filter.d/fnrun-sshd.conf',
  text: `# Written by fnrun server setup: a change here is undone by the next one. The filter sshd, and what it counts as a failure besides.
[INCLUDES]
before = sshd.conf

[Definition]
# In place of its own line, which counts "Disconnected" alone.
mdre-extra-other = ^<F-MLFFORGET>(?:Connection (?:closed|reset)|Disconnected)</F-MLFFORGET>(?: (?:by|from))? (?:invalid|authenticating) user <F-USER>\\S+|.*?</F-USER> <HOST>%(__on_port_opt)s \\[preauth\\]\\s*$
`,
};

/** Text of fail2ban's file. */
export function renderJail({ sshPorts }: Pick<MachineFacts, 'sshPorts'>): string {
  return `# Written by fnrun server setup: a change here is undone by the next one. /etc/fail2ban/jail.local wins over it.

[DEFAULT]
# A table of its own in nftables, which a reload of ufw does not touch.
banaction = nftables[type=multiport]
banaction_allports = nftables[type=allports]

[sshd]
enabled = true
# The ports that sshd listens on.
port = ${sshPorts.join(',')}
# There is no auth.log any more: sshd logs to the journal.
backend = systemd
# By its unit only, not by the name of the process, as the filter has it: any program may call itself sshd, and have
# others shut out. From OpenSSH 9.8 on the name is another one besides.
journalmatch = _SYSTEMD_UNIT=ssh.service
# ssh takes keys only. So what counts beside unknown users is who names a user and then has no key for it, once for each
# connection. One that is closed before it has named a user does not count (aggressive): that is what monitoring does.
filter = fnrun-sshd[mode=extra]
# Eight in ten minutes: ten minutes out, and twice as long each time, up to a day. Who has the wrong key tries a few times,
# and addresses are shared and change hands.
maxretry = 8
findtime = 10m
bantime = 10m
bantime.increment = true
bantime.maxtime = 1d
`;
}

export const fail2banStep = dropIn({
  id: 'fail2ban',
  title: 'who keeps trying to log in is shut out for a while',
  files: ({ facts }) => [filter, { path, text: renderJail(facts) }],
  more: ({ machine }) => checkUnit(machine, 'fail2ban.service'),
  activate: async ({ machine }) => {
    await must(machine, ['fail2ban-client', '-t']);
    await must(machine, ['systemctl', 'enable', '--', 'fail2ban.service']);
    // Not reload, which fails while it is still starting. Who is out stays out: it keeps them in a database.
    await must(machine, ['systemctl', 'restart', 'fail2ban.service']);
    const wait = 'until fail2ban-client ping; do sleep 0.5; done >/dev/null 2>&1; exec fail2ban-client status sshd';
    await must(machine, ['timeout', '90', 'sh', '-c', wait], { timeoutMs: 100_000 });
  },
});
