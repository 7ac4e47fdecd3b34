import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { appUserLimits, hostLimits } from '../contract/limits.ts';
import { asUser } from './privileges.ts';

// All of these run as the app's user, in folders of its own: what it has put there (links, folders without rights)
// leads to nothing that it could not reach itself.
const enter = 'umask 077; mkdir -p -- "$1" && cd -- "$2" || exit 1; shift 2; exec "$@"';
const remove = 'find "$1" -type d ! -perm -700 -exec chmod u+rwx {} \\; 2>/dev/null; exec rm -rf -- "$1"';
const removeStrewn = 'exec find /tmp /var/tmp /dev/shm -mindepth 1 -xdev -user "$(id -u)" -delete 2>/dev/null';
const killAll = 'kill -s KILL -- -1';

/** The system user and group of one app: both have the same number, and no name. */
export class AppUser {
  readonly id: number;
  /** Temporary folders of its processes are made in here. */
  readonly folder: string;
  readonly #working = new Set<Promise<unknown>>();
  #serial = 0;

  constructor({ id, folder }: { id: number; folder: string }) {
    this.id = id;
    this.folder = folder;
  }

  /** A name for a temporary folder, which is made by `command`. */
  newFolder(): string {
    return join(this.folder, `${process.pid}-${++this.#serial}`);
  }

  /** The command line that runs `command` as this user, with a temporary folder of its own, in `cwd`. */
  command(command: readonly string[], { temporary, cwd = '/' }: { temporary: string; cwd?: string }): string[] {
    return asUser(this.id, ['/bin/sh', '-c', enter, 'sh', temporary, cwd, ...command]);
  }

  /** Copies what lies in `from`, which this user need not be able to read, into the new folder `to`. Rejects when that fails. */
  async copy(from: string, to: string): Promise<void> {
    const write = asUser(this.id, ['/bin/sh', '-c', 'umask 077; mkdir -p -- "$1" && exec tar -xf - -C "$1"', 'sh', to]);
    const read = 'from=$1; shift; tar -cf - -C "$from" . | "$@"';
    await this.#run(['/bin/sh', '-c', read, 'sh', from, ...write]);
  }

  /** Removes a temporary folder. What cannot be removed stays until the app is next taken up. */
  async remove(temporary: string): Promise<void> {
    await this.#run(this.#shell(remove, temporary)).catch(() => {});
  }

  /**
   * Removes the temporary folders that a server has left which is gone. One that is being replaced may still end requests, and
   * its folders, which begin with its process's number, are in use. Call before this one starts a process of the app.
   */
  async removeLeft(): Promise<void> {
    const inUse = (name: string): boolean => {
      const pid = Number.parseInt(name, 10);
      return pid !== process.pid && existsSync(`/proc/${pid}`);
    };
    const left = list(this.folder).filter((name) => !inUse(name));
    await Promise.all(left.map((name) => this.remove(join(this.folder, name))));
  }

  async #removeAll(): Promise<void> {
    const names = list(this.folder);
    await Promise.all(names.map((name) => this.remove(join(this.folder, name))));
  }

  /** Ends every process of this user and removes its files from the folders that all share. Resolves to whether none is left. */
  async end(): Promise<boolean> {
    for (let round = 0; round < hostLimits.killRounds; round++) {
      if (!hasProcesses(this.id)) break;
      await this.#run(this.#shell(killAll)).catch(() => {});
      await delay(hostLimits.killRoundMs);
    }
    await this.#removeAll();
    await this.#run(this.#shell(removeStrewn)).catch(() => {});
    return !hasProcesses(this.id) && list(this.folder).length === 0;
  }

  /** Has `idle` wait for `work`. */
  track(work: Promise<unknown>): void {
    const tracked = work.catch(() => {}).finally(() => this.#working.delete(tracked));
    this.#working.add(tracked);
  }

  /** Resolves when what was begun is done. */
  async idle(): Promise<void> {
    await Promise.all(this.#working);
  }

  #shell(script: string, ...args: string[]): string[] {
    return asUser(this.id, ['/bin/sh', '-c', script, 'sh', ...args]);
  }

  #run([program = '', ...args]: string[]): Promise<void> {
    const work = new Promise<void>((resolve, reject) => {
      const child = spawn(program, args, {
        cwd: '/',
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: appUserLimits.filesMs,
        killSignal: 'SIGKILL',
      });
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        if (said.length < appUserLimits.errorChars) said += text;
      });
      child.once('error', reject);
      child.once('close', (code, by) => {
        if (code === 0) resolve();
        else reject(new Error(said.trim().split('\n')[0] || `${program} ended with ${by ?? code}`));
      });
    });
    this.track(work);
    return work;
  }
}

function hasProcesses(uid: number): boolean {
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        return !/^State:\s+Z/m.test(status) && new RegExp(`^Uid:.*\\b${uid}\\b`, 'm').test(status);
      } catch {
        return false;
      }
    });
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
