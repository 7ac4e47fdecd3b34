import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { setupLimits } from '../../runtime/contract/limits.ts';
import { loginError } from './explain-login.ts';
import { programEnv, type Machine, type Ran } from './machine.ts';
import { must } from './must.ts';
import { runProgram } from './run-program.ts';
import { quoteWord, quoteWords, shellCommand } from './shell-words.ts';
import { startMaster, type Master } from './ssh-master.ts';
import type { SshTarget } from './target.ts';

export interface SshOptions {
  target: SshTarget;
  /** The ssh to use, as a line of shell: it may hold options. @default ssh */
  ssh?: string;
}

// Written beside, then renamed: nobody sees half of it.
const receive = [
  'set -e; umask 077; mkdir -p -m 0755 -- "$(dirname -- "$1")"; cat > "$1.fnrun-new"',
  'chown -- "$3" "$1.fnrun-new"; chmod -- "$2" "$1.fnrun-new"; mv -T -- "$1.fnrun-new" "$1"',
].join('\n');

/**
 * Logs in to a machine by the system's own ssh, with its user's configuration, over one connection that all that follows
 * shares. As root, or as a user whose sudo asks for no password. Rejects with FN_SSH_FAILED.
 */
export async function openSshMachine({ target, ssh = 'ssh' }: SshOptions): Promise<Machine> {
  // Not below a long TMPDIR: the path of a unix socket has 107 bytes, and ssh adds 17 to it.
  const folder = await mkdtemp(join(tmpdir().length < 40 ? tmpdir() : '/tmp', 'fnrun-ssh-'));
  const common = { target, ssh, socket: join(folder, 's') };
  const connection = new Connection(common);
  try {
    await connection.open();
  } catch (error) {
    await connection.close();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const machine: Machine = {
    name: target.destination,
    local: false,
    run: (argv, { input, timeoutMs = setupLimits.commandMs } = {}) =>
      connection.run(argv, { timeoutMs, ...(input !== undefined && { input }) }),
    upload: async (file, path, { mode, owner = 'root:root' }) => {
      const input = createReadStream(file);
      try {
        const argv = ['sh', '-c', receive, 'sh', path, mode.toString(8), owner];
        const run = () => connection.run(argv, { input, timeoutMs: setupLimits.uploadMs });
        await must({ name: machine.name, run }, ['upload', path]);
      } finally {
        input.destroy();
      }
    },
    loginAnew: async () => {
      const endsAt = performance.now() + setupLimits.loginMs;
      for (;;) {
        const other = new Connection({ ...common, socket: join(folder, `n${randomBytes(4).toString('hex')}`) });
        try {
          await other.open();
          return;
        } catch (error) {
          // sshd opens its port anew when it reads its configuration; a key that it does not take is an answer.
          if (performance.now() > endsAt || !/reset|refused|closed by|timed out/i.test((error as Error).message))
            throw error;
        } finally {
          await other.close();
        }
        await sleep(setupLimits.loginPauseMs);
      }
    },
    close: async () => {
      await connection.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return machine;
}

interface SendOptions {
  input?: string | Uint8Array | Readable;
  timeoutMs: number;
}

/** One login, made again when it has broken. */
class Connection {
  readonly #options: { target: SshTarget; ssh: string; socket: string };
  #master: Master | null = null;
  #closed = false;

  constructor(options: { target: SshTarget; ssh: string; socket: string }) {
    this.#options = options;
  }

  async open(): Promise<Master> {
    if (this.#closed) throw new FnrunError('FN_SSH_FAILED', 'The connection has been closed');
    if (this.#master?.alive === true) return this.#master;
    this.#master = await startMaster(this.#options);
    return this.#master;
  }

  async run(argv: readonly string[], { input, timeoutMs }: SendOptions): Promise<Ran> {
    const { target, ssh, socket } = this.#options;
    const master = await this.open();
    // What the login shell's own files print comes first; ours begins behind a line that nobody else knows.
    const mark = randomBytes(12).toString('hex');
    const script = remoteScript(argv, { mark, sudo: master.sudo, timeoutMs });
    const words = ['-T', '-S', socket, '-o', 'ControlMaster=no', '--', target.destination, shellCommand(script)];
    const ran = await runProgram(['/bin/sh', '-c', `exec ${ssh} "$@"`, 'ssh', ...words], {
      ...(input !== undefined && { input }),
      timeoutMs: timeoutMs + setupLimits.remoteSlackMs,
      on: target.destination,
      called: argv[0] ?? '',
    });
    if (ran.code === 255 && !(await master.answers())) {
      throw loginError(`${ran.stderr}\n${master.words()}`, target);
    }
    const begin = ran.stdout.indexOf(`${mark}\n`);
    if (begin === -1) {
      const said = `${ran.stdout}${ran.stderr}`.trim().slice(0, 300);
      throw new FnrunError('FN_SSH_FAILED', `${target.destination} does not run what it is told: ${said}`, {
        hint: 'its login shell, or a command= in its authorized_keys, must let commands through',
      });
    }
    const code = /^fnrun-timeout$/m.test(ran.stderr.slice(-20)) ? null : ran.code;
    if (code === null) {
      const seconds = timeoutMs / 1000;
      throw new FnrunError('FN_SETUP_FAILED', `${argv[0]} did not end within ${seconds} s on ${target.destination}`);
    }
    return { code, stdout: ran.stdout.slice(begin + mark.length + 1), stderr: ran.stderr };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#master?.close();
  }
}

interface ScriptOptions {
  mark: string;
  sudo: boolean;
  timeoutMs: number;
}

/** Runs a program as root, with a clean environment, and ends it at the deadline with all that it started. */
export function remoteScript(argv: readonly string[], { mark, sudo, timeoutMs }: ScriptOptions): string {
  const env = Object.entries(programEnv).map(([name, value]) => quoteWord(`${name}=${value}`));
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
  const words = [
    ...(sudo ? ['sudo', '-n', '--'] : []),
    'env',
    ...env,
    // Which port this connection came in by: sudo drops it.
    'SSH_CONNECTION="${SSH_CONNECTION-}"',
    'timeout',
    '-k',
    '5',
    String(seconds),
    quoteWords(argv),
  ];
  return [
    `echo ${mark}`,
    `began=$(date +%s)`,
    words.join(' '),
    'code=$?',
    // timeout says 124 of its own, and 137 when the program had to be killed; the program may say so itself.
    `if [ $code = 124 ] || [ $code = 137 ]; then [ $(($(date +%s) - began)) -lt ${seconds} ] || echo fnrun-timeout >&2; fi`,
    'exit $code',
  ].join('\n');
}
