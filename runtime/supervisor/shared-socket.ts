import { rmSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { hostLimits } from '../contract/limits.ts';
import { acceptFrom, bindSocket } from '../listening-handle.ts';
import type { ListeningHandle } from '../listening-handle.ts';
import type { HostProcess } from './host-process.ts';

/** What becomes of the connections that the daemon accepts. */
export interface SharedSocketOptions {
  /** Gets them, unread. */
  onSocket: (socket: Socket) => void;
  /** The daemon accepts again: until now a host may have had connections. */
  onBack: () => void;
}

/**
 * The unix socket of one app. The app host that serves accepts from it, and while none does the daemon. It is one
 * socket from begin to end, of which the daemon always has a handle: whoever connects waits in its queue until
 * somebody accepts, whatever becomes of the processes.
 */
export class SharedSocket {
  readonly #path: string;
  #handle: ListeningHandle;
  readonly #options: SharedSocketOptions;
  #accepting = false;
  /** Counts who shall accept: what was begun for another is given up. */
  #turn = 0;
  #closed = false;

  private constructor(path: string, handle: ListeningHandle, options: SharedSocketOptions) {
    this.#path = path;
    this.#handle = handle;
    this.#options = options;
    this.#listen();
  }

  /** The daemon accepts. What is at `path` is replaced: it must be a dead server's. */
  static async open(path: string, options: SharedSocketOptions): Promise<SharedSocket> {
    // Closing a handle unlinks what it was bound to: another name, and no longer one, for which the kernel has a limit.
    const bound = `${path.replace(/\.sock$/, '')}.new`;
    await rm(bound, { force: true });
    const socket = new SharedSocket(path, bindSocket(bound), options);
    try {
      await rename(bound, path);
    } catch (error) {
      socket.#handle.close();
      throw error;
    }
    return socket;
  }

  /** The daemon accepts from here on, beside whoever does. */
  accept(): void {
    this.#turn++;
    if (this.#accepting || this.#closed) return;
    this.#listen();
    this.#options.onBack();
  }

  /**
   * Has `host` accept, and as soon as it does the daemon no longer. Resolves then; also when that cannot be: the daemon
   * goes on accepting, and passes connections on.
   */
  async giveTo(host: HostProcess): Promise<void> {
    const turn = ++this.#turn;
    try {
      const copy = await host.listenOn(this.#handle, { copy: this.#accepting });
      if (turn !== this.#turn) copy?.close();
      else if (copy !== null) this.#leaveTo(copy);
      void this.#giveMore(host, turn);
    } catch {
      // Another may have had it until now, and will stop.
      if (turn === this.#turn) this.accept();
    }
  }

  /** To stop accepting is to close the handle. What it has accepted is on its way; what waits in the queue is the host's. */
  #leaveTo(copy: ListeningHandle): void {
    this.#handle.close();
    this.#handle = copy;
    this.#accepting = false;
  }

  /** A handle takes one connection in a turn of the host's event loop, and in a busy host a turn lasts. */
  async #giveMore(host: HostProcess, turn: number): Promise<void> {
    try {
      for (let has = 1; has < hostLimits.acceptHandles && turn === this.#turn; has++) {
        await host.listenOn(this.#handle, { copy: false });
      }
    } catch {
      // It has one, or has ended, which others look after.
    }
  }

  #listen(): void {
    acceptFrom(this.#handle, { paused: true, onSocket: this.#options.onSocket });
    this.#accepting = true;
  }

  /** Nobody can connect from here on. The daemon takes what waits. */
  unlink(): void {
    if (this.#closed) return;
    rmSync(this.#path, { force: true });
    this.accept();
  }

  close(): void {
    if (this.#closed) return;
    this.unlink();
    this.#closed = true;
    this.#handle.close();
  }
}
