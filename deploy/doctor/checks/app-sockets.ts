import type { Finding } from '../../mysql/doctor/finding.ts';
import { shell, type MachineCheck } from '../check.ts';

// As nginx's own user, by the kernel's own judgement: every folder on the way, and the socket.
const look = `
user=$(ps -o user= -C nginx 2>/dev/null | grep -v '^root' | head -n 1)
[ -n "$user" ] || exit 0
echo "user $user"
for socket in "$1"/run/*.sock; do
  [ -S "$socket" ] || continue
  case $socket in */control.sock) what=control;; *) what=app;; esac
  if setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups test -w "$socket" 2>/dev/null; then echo "$what yes $socket"; else echo "$what no $socket"; fi
done`;

/** Whether nginx may connect to the apps, and may not to the server itself. */
export const appSocketsCheck: MachineCheck = {
  id: 'app-sockets',
  async check(context) {
    const { home } = context.places;
    if (!context.facts.root) return { skipped: 'only root can look as another user' };
    const reading = readSockets(await shell(context, look, home));
    if (reading === null) return { skipped: 'no nginx with workers of its own user' };
    if (reading.sockets.length === 0) return { skipped: 'no sockets of apps' };
    return { findings: judgeSockets(reading), seen: `${reading.sockets.length} sockets, as ${reading.user}` };
  },
};

export interface SocketReading {
  user: string;
  sockets: { kind: 'app' | 'control'; writable: boolean; path: string }[];
}

export function readSockets(text: string): SocketReading | null {
  const user = /^user (\S+)$/m.exec(text)?.[1];
  if (user === undefined) return null;
  const lines = [...text.matchAll(/^(app|control) (yes|no) (.+)$/gm)];
  return {
    user,
    sockets: lines.map(([, kind, word, path]) => ({
      kind: kind as 'app' | 'control',
      writable: word === 'yes',
      path: path!,
    })),
  };
}

export function judgeSockets({ user, sockets }: SocketReading): Finding[] {
  return sockets.flatMap(({ kind, writable, path }): Finding[] => {
    if (kind === 'app' && !writable) {
      return [
        {
          id: 'app-socket-closed',
          severity: 'critical',
          what: `nginx cannot connect to ${path}`,
          measured: `test -w as ${user}: no`,
          todo: `usermod -aG fnrun ${user} && systemctl restart nginx; every folder above it needs x for the group`,
        },
      ];
    }
    if (kind === 'control' && writable) {
      return [
        {
          id: 'control-socket-open',
          severity: 'critical',
          what: 'nginx may give orders to the server of fnrun',
          measured: `test -w ${path} as ${user}: yes`,
          todo: `chmod 600 ${path}; systemctl restart fnrun makes it as it should be`,
        },
      ];
    }
    return [];
  });
}
