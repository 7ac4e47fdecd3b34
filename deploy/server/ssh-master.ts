import { type ChildProcess, spawn } from 'node:child_process';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { setupLimits } from '../../runtime/contract/limits.ts';
import { loginError } from './explain-login.ts';
import { runProgram } from './run-program.ts';
import { shellCommand } from './shell-words.ts';
import type { SshTarget } from './target.ts';

/** The connection that others share. */
export interface Master {
  /** Whether its process is there. */
  readonly alive: boolean;
  /** Whether its user becomes root by sudo. */
  readonly sudo: boolean;
  /** What ssh said on standard error. */
  words(): string;
  /** Whether it still has a connection. */
  answers(): Promise<boolean>;
  close(): Promise<void>;
}

export interface MasterOptions {
  target: SshTarget;
  /** A line of shell. */
  ssh: string;
  /** Path of its socket. */
  socket: string;
}

/** Never asks: who is not let in by a key is told so. A connection that has died is found within a minute. */
const settings = [
  'BatchMode=yes',
  `ConnectTimeout=${setupLimits.connectSeconds}`,
  `ServerAliveInterval=${setupLimits.aliveSeconds}`,
  'ServerAliveCountMax=3',
  'ControlMaster=yes',
  'ControlPersist=no',
  'ForwardAgent=no',
  'ForwardX11=no',
  'ClearAllForwardings=yes',
  'RemoteCommand=none',
  'RequestTTY=no',
].flatMap((setting) => ['-o', setting]);

// It ends when our end is closed, however that comes about; so does the connection.
const greet = 'echo "fnrun-login $(id -u) $(sudo -n true 2>/dev/null && echo sudo)"; cat >/dev/null';
const greeting = /^fnrun-login (\d+) (sudo)?$/m;

/** Logs in. Rejects with FN_SSH_FAILED, also for a user who cannot become root. */
export async function startMaster({ target, ssh, socket }: MasterOptions): Promise<Master> {
  const { destination, port } = target;
  const words = [...settings, '-S', socket, ...(port === null ? [] : ['-p', String(port)])];
  const child = spawn('/bin/sh', ['-c', `exec ${ssh} "$@"`, 'ssh', ...words, '--', destination, shellCommand(greet)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // A terminal's Ctrl-C is for us to hear.
    detached: true,
  });
  child.stdin.on('error', () => undefined);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-setupLimits.outputBytes);
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const close = async (): Promise<void> => {
    child.stdin.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), setupLimits.connectSeconds * 1000);
    await closed;
    clearTimeout(timer);
  };
  try {
    const { uid, sudo } = await greeted(child, { target, said: () => said });
    if (uid !== 0 && !sudo) {
      throw new FnrunError('FN_SSH_FAILED', `The user of ${destination} cannot become root`, {
        hint: 'log in as root, or as a user whose sudo asks for no password (NOPASSWD)',
      });
    }
    return {
      get alive() {
        return child.exitCode === null && child.signalCode === null;
      },
      sudo: uid !== 0,
      words: () => said,
      answers: async () => {
        const check = ['/bin/sh', '-c', `exec ${ssh} "$@"`, 'ssh', '-S', socket, '-O', 'check', '--', destination];
        const timeoutMs = setupLimits.connectSeconds * 1000;
        return (await runProgram(check, { timeoutMs, on: destination, called: 'ssh -O check' })).code === 0;
      },
      close,
    };
  } catch (error) {
    child.kill();
    await close();
    throw error;
  }
}

/** Resolves to who we are there. */
function greeted(
  child: ChildProcess,
  { target, said }: { target: SshTarget; said: () => string },
): Promise<{ uid: number; sudo: boolean }> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(loginError(`${said()}\nLogin timed out`, target)), setupLimits.loginMs);
    const settle = (): void => clearTimeout(timer);
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-setupLimits.outputBytes);
      const [, uid, sudo] = greeting.exec(text) ?? [];
      if (uid === undefined) return;
      settle();
      resolve({ uid: Number(uid), sudo: sudo !== undefined });
    });
    child.once('error', (cause) => {
      settle();
      reject(new FnrunError('FN_SSH_FAILED', `Cannot run ssh: ${cause.message}`, { cause }));
    });
    child.once('close', (code) => {
      settle();
      reject(
        code === 127
          ? new FnrunError('FN_SSH_FAILED', `Cannot run ssh: ${said().trim()}`, {
              hint: 'install it, for example: apt install openssh-client',
            })
          : loginError(said(), target),
      );
    });
  });
}
