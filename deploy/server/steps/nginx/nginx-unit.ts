import { checkFile, writeFile, type WantedFile } from '../../files.ts';
import type { Machine } from '../../machine.ts';
import { must } from '../../must.ts';
import type { Change } from '../../step.ts';

// The distribution's unit stays as it is, and so does what an administrator writes into a drop-in of a later name.
const dropIn: WantedFile = {
  path: '/etc/systemd/system/nginx.service.d/fnrun.conf',
  text: `# Written by fnrun server setup: a change here is undone by the next one. A file of a later name in this folder wins over it.

[Unit]
# Started again however often it ended: what was in its way may be gone the next time.
StartLimitIntervalSec=0

[Service]
# As Debian has it, nginx stays down when it was killed, and all apps with it.
Restart=on-failure
RestartSec=1s
# A worker that the kernel ended for want of memory is replaced by the master.
OOMPolicy=continue

# It binds ports below 1024, runs its workers as another user and signals them, and opens logs and keys of whoever has them.
CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_SETUID CAP_SETGID CAP_KILL CAP_CHOWN CAP_FOWNER CAP_DAC_OVERRIDE
NoNewPrivileges=yes
# It writes below /var and /run.
ProtectSystem=full
# Sites of your own may be there.
ProtectHome=read-only
PrivateDevices=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
`,
};

/** What has to change for nginx to come back when it ends, and to be kept from what it does not need. */
export async function checkNginxUnit(machine: Machine): Promise<Change[]> {
  const file = await checkFile(machine, dropIn);
  if (file !== null) return [file];
  const { stdout } = await machine.run(['systemctl', 'show', '-p', 'NeedDaemonReload', '--value', '--', 'nginx']);
  return stdout.trim() === 'yes' ? [{ subject: 'nginx', what: 'have systemd read the unit of nginx again' }] : [];
}

/** That it comes back holds at once; what it is kept from, from its next start on: none is made for it. */
export async function applyNginxUnit(machine: Machine): Promise<void> {
  await writeFile(machine, dropIn);
  await must(machine, ['systemctl', 'daemon-reload']);
}
