import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { SchedulingPolicy } from '../contract/ipc.ts';
import { schedulingLimits } from '../contract/limits.ts';
import { asUser, withoutCapabilities } from './privileges.ts';

/** Of util-linux, which every Debian and Ubuntu has; macOS has neither the program nor the policies. */
const chrt = '/usr/bin/chrt';

/** Whose threads they are. */
export interface SchedulerOptions {
  pid: number;
  /** Whose process it is; null: the daemon's user. */
  user: { id: number } | null;
  isGone: () => boolean;
  /** Is told why the policy cannot be changed, once. */
  onRefused: (why: string) => void;
}

/** Sets the scheduling policy of all threads of a process that cannot do so itself. */
export class Scheduler {
  readonly #options: SchedulerOptions;
  #last: Promise<void> = Promise.resolve();
  #refused = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** One change after the other. Resolves when it is made, or cannot be. */
  set(policy: SchedulingPolicy): Promise<void> {
    this.#last = this.#last.then(() => this.#set(policy));
    return this.#last;
  }

  async #set(policy: SchedulingPolicy): Promise<void> {
    const { isGone, onRefused } = this.#options;
    if (isGone() || !existsSync(chrt) || (this.#refused && policy === 'batch')) return;
    let why = '';
    // It stops at a thread that has ended since it looked, and at another one the next time. What is said twice is a refusal.
    for (let tries = 0; tries < schedulingLimits.changeTries; tries++) {
      const before = why;
      why = (await this.#run(policy)) ?? '';
      if (why === '' || isGone()) return;
      if (why === before) break;
    }
    if (!this.#refused) onRefused(why);
    this.#refused = true;
    // Some of the threads may have it.
    if (policy === 'batch') await this.#set('other');
  }

  /** Resolves with why it failed, or null. */
  #run(policy: SchedulingPolicy): Promise<string | null> {
    const { pid, user } = this.#options;
    // Threads to come take it over from the main one.
    const command = [chrt, '--all-tasks', `--${policy}`, '--pid', '0', String(pid)];
    const [program = '', ...args] = user === null ? withoutCapabilities(command) : asUser(user.id, command);
    return new Promise((resolve) => {
      execFile(program, args, { timeout: schedulingLimits.changeMs }, (error, _stdout, stderr) => {
        resolve(error === null ? null : stderr.trim() || error.message);
      });
    });
  }
}
