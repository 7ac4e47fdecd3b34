import type { MachineFacts } from './facts.ts';
import type { Machine } from './machine.ts';
import { must } from './must.ts';

// One look at everything: a round trip may take 200 ms. Whatever is missing leaves its line out.
const look = String.raw`
say() { printf '%s=%s\n' "$1" "$2"; }
( . /etc/os-release; say os "$ID"; say version "$VERSION_ID"; say codename "$VERSION_CODENAME" ) 2>/dev/null
say arch "$(dpkg --print-architecture 2>/dev/null || uname -m)"
say cores "$(nproc)"
while read -r name value unit; do case $name in MemTotal:) say memoryKb "$value";; SwapTotal:) say swapKb "$value";; esac; done < /proc/meminfo
say diskFreeKb "$(df -Pk / | tail -n 1 | { read -r a b c free rest; echo "$free"; })"
say glibc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
[ -d /run/systemd/system ] && say systemd yes
systemd-detect-virt -c -q 2>/dev/null && say container yes
[ -e /opt/fnrun/current ] && say installed yes
say uid "$(id -u)"
say hostname "$(uname -n)"
say ssh "$SSH_CONNECTION"
# Who listens: sshd itself, or systemd for it (ssh.socket).
ss -Hltnp 2>/dev/null | while read -r state recv send local peer process; do
  case $process in *'"sshd"'*) say port "${'$'}{local##*:}";; esac
done
[ "$(systemctl is-active ssh.socket 2>/dev/null)" = active ] &&
  systemctl show ssh.socket -p Listen --value 2>/dev/null | while read -r address kind; do say port "${'$'}{address##*:}"; done
sshd -T 2>/dev/null | while read -r name value; do [ "$name" = port ] && say configured "$value"; done
exit 0
`;

/** Looks at a machine, in one round trip. Rejects with FN_SSH_FAILED or FN_SETUP_FAILED. */
export async function gatherFacts(machine: Machine): Promise<MachineFacts> {
  return readFacts(await must(machine, ['sh', '-c', look]));
}

const archOf: Readonly<Record<string, string>> = { amd64: 'x64', x86_64: 'x64', aarch64: 'arm64' };

/** Reads what the look printed: `name=value` lines. */
export function readFacts(text: string): MachineFacts {
  const found = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) found.set(name, [...(found.get(name) ?? []), value.trim()]);
  }
  const first = (name: string): string => found.get(name)?.[0] ?? '';
  const megabytes = (name: string): number => Math.floor(Number(first(name) || 0) / 1024);
  const arch = first('arch');
  return {
    os: first('os'),
    version: first('version'),
    codename: first('codename'),
    arch: archOf[arch] ?? arch,
    cores: Number(first('cores')) || 1,
    memoryMb: megabytes('memoryKb'),
    swapMb: megabytes('swapKb'),
    diskFreeMb: megabytes('diskFreeKb'),
    glibc: /^glibc ([\d.]+)$/.exec(first('glibc'))?.[1] ?? null,
    systemd: first('systemd') === 'yes',
    container: first('container') === 'yes',
    sshPorts: portsOf(first('ssh'), found),
    hostname: first('hostname'),
    installed: first('installed') === 'yes',
    root: first('uid') === '0',
  };
}

/** Where sshd really listens. What it is configured to counts only where nobody could tell: it may not run with that yet. */
function portsOf(connection: string, found: ReadonlyMap<string, string[]>): number[] {
  // client address, client port, server address, server port
  const own = connection.split(' ')[3];
  const listening = found.get('port') ?? [];
  const ports = [own, ...(listening.length > 0 ? listening : (found.get('configured') ?? []))];
  return [...new Set(ports.map(Number))].filter((port) => port > 0 && port < 65_536);
}
