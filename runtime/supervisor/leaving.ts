import type { Socket } from 'node:net';
import { hostLimits } from '../contract/limits.ts';
import type { HostProcess } from './host-process.ts';

/** Processes that serve no new connection any more, and finish what they have. */
export class Leaving {
  readonly #onUnaccepted: (sockets: Socket[]) => void;
  readonly #hosts = new Set<HostProcess>();

  constructor({ onUnaccepted }: { onUnaccepted: (sockets: Socket[]) => void }) {
    this.#onUnaccepted = onUnaccepted;
  }

  get count(): number {
    return this.#hosts.size;
  }

  /**
   * Once another is in its place, has `host` give back its connections, each between two of its requests, and ends it when
   * it has none. Resolves when it accepts nobody any more.
   */
  handOver(host: HostProcess, { replaced }: { replaced: Promise<void> }): Promise<void> {
    this.#add(host);
    const closed = replaced
      .then(() => host.request({ type: 'unlisten' }, { deadlineMs: hostLimits.pingAnswerMs }))
      .then(ignore, ignore);
    // Its threads need not end by themselves: one that does not may be why it is replaced.
    void closed
      .then(() => host.request({ type: 'handover' }, { deadlineMs: hostLimits.leaveMs }))
      .catch(ignore)
      .then(() => host.kill());
    return closed;
  }

  /** Has the process that serves make each response the last of its connection. Resolves when it has none, or after the time for that. */
  async finish(serving: Promise<HostProcess> | null): Promise<void> {
    const host = await serving?.catch(() => null);
    await host?.request({ type: 'leave' }, { deadlineMs: hostLimits.handoverMs }).then(ignore, ignore);
  }

  /** Lets `host` finish its requests and ends it. */
  stop(host: HostProcess): void {
    this.#add(host);
    const timer = setTimeout(() => host.kill(), hostLimits.stopMs + hostLimits.killSlackMs);
    void host.exited.then(() => clearTimeout(timer));
    void host.request({ type: 'stop' }, { deadlineMs: hostLimits.stopMs }).catch(() => host.kill());
  }

  /** Resolves when all of them have ended; those that hand over end now. */
  async empty(): Promise<void> {
    const deadline = setTimeout(() => {
      for (const host of this.#hosts) host.kill();
    }, hostLimits.stopMs + hostLimits.killSlackMs);
    await Promise.all([...this.#hosts].map((host) => host.exited));
    clearTimeout(deadline);
  }

  #add(host: HostProcess): void {
    this.#hosts.add(host);
    void host.exited.then(() => {
      this.#hosts.delete(host);
      this.#onUnaccepted(host.takeUnaccepted());
    });
    const [oldest] = this.#hosts;
    if (this.#hosts.size > hostLimits.leavingMax) oldest?.kill();
  }
}

function ignore(): void {}
