import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { makeTempDir } from './temp-dir.ts';

/** A real sshd on loopback, for the user who runs the tests. */
export interface Sshd extends AsyncDisposable {
  readonly port: number;
  readonly user: string;
  /** The folder of its keys and of those of its clients. */
  readonly folder: string;
  /** What it said so far. */
  readonly log: () => string;
  /** `ssh://user@127.0.0.1:port/path` */
  readonly url: (path: string) => string;
  /** Makes a key pair; resolves to the path of the private key, beside which the public one lies. */
  readonly makeKey: (name: string, type?: readonly string[]) => Promise<string>;
  /** An ssh command that uses this key and knows the server: for GIT_SSH_COMMAND. */
  readonly sshCommand: (key: string, options?: { knownHosts?: string }) => Promise<string>;
  readonly stop: () => Promise<void>;
}

const startMs = 10_000;
const portsTried = 5;

/** Where sshd of root locks its unprivileged part in, without which it does nothing; the package leaves it to systemd to make it. */
export function makeSshdFolder(): void {
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
}

/** Starts sshd with everything on that a key could misuse, so that what is refused is refused by the key's own line. */
export async function startSshd({ authorizedKeys }: { authorizedKeys: string }): Promise<Sshd> {
  const folder = await makeTempDir('fn-ssh-');
  const hostKey = join(folder.path, 'host');
  keygen(hostKey, ['-t', 'ed25519']);
  makeSshdFolder();
  const { port, child, log } = await listen({ folder: folder.path, hostKey, authorizedKeys });
  const user = userInfo().username;
  const known = join(folder.path, 'known_hosts');
  const [type, blob] = (await readFile(`${hostKey}.pub`, 'utf8')).split(' ');
  await writeFile(known, `[127.0.0.1]:${port} ${type} ${blob}\n`);
  const stop = async (): Promise<void> => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) {
      await new Promise((resolve) => child.once('exit', resolve));
    }
    await folder.remove();
  };
  return {
    port,
    user,
    folder: folder.path,
    log,
    url: (path) => `ssh://${user}@127.0.0.1:${port}/${path}`,
    makeKey: async (name, keyType = ['-t', 'ed25519']) => {
      const file = join(folder.path, name);
      keygen(file, keyType);
      return file;
    },
    sshCommand: async (key, { knownHosts = known } = {}) => {
      const config = join(folder.path, `config-${Math.random().toString(36).slice(2)}`);
      const lines = ['BatchMode yes', 'IdentitiesOnly yes', 'IdentityAgent none', `IdentityFile ${key}`];
      await writeFile(
        config,
        [...lines, `UserKnownHostsFile ${knownHosts}`, 'StrictHostKeyChecking yes', ''].join('\n'),
      );
      return `ssh -F ${config}`;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

interface Listening {
  port: number;
  child: ChildProcess;
  log: () => string;
}

async function listen(options: { folder: string; hostKey: string; authorizedKeys: string }): Promise<Listening> {
  let said = '';
  // sshd cannot choose a port by itself, so another program may be faster.
  for (let attempt = 0; attempt < portsTried; attempt++) {
    const port = await freePort();
    const config = join(options.folder, 'sshd_config');
    await writeFile(config, renderConfig({ ...options, port }));
    // By its path: sshd starts itself anew for each connection.
    const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    const ready = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), startMs);
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (/Server listening on/.test(log)) resolve(true);
      });
      child.once('close', () => resolve(false));
      child.once('error', () => resolve(false));
      timer.unref();
    });
    if (await ready) return { port, child, log: () => log };
    child.kill();
    said = log;
  }
  throw new Error(`sshd did not start:\n${said}`);
}

function renderConfig({
  port,
  hostKey,
  authorizedKeys,
}: {
  port: number;
  hostKey: string;
  authorizedKeys: string;
}): string {
  return `Port ${port}
ListenAddress 127.0.0.1
HostKey ${hostKey}
PidFile none
AuthorizedKeysFile ${authorizedKeys}
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
# The folder of temporary files is everybody's.
StrictModes no
MaxStartups 100
AllowTcpForwarding yes
AllowAgentForwarding yes
X11Forwarding yes
PermitTunnel yes
PermitTTY yes
AcceptEnv LANG LC_* GIT_*
# bash reads the user's .bashrc for ssh only in an outermost shell: what is in it may take seconds.
SetEnv SHLVL=2
Subsystem sftp internal-sftp
LogLevel VERBOSE
`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function keygen(file: string, type: readonly string[]): void {
  const { status, stderr } = spawnSync('ssh-keygen', ['-q', '-N', '', '-C', 'test', ...type, '-f', file]);
  if (status !== 0) throw new Error(`ssh-keygen ended with ${status}: ${String(stderr)}`);
}
