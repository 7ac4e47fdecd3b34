import { randomBytes } from 'node:crypto';
import { rmSync, statSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
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
 * The socket of one app, a unix socket in production. The app host that serves accepts from it, and while none does the daemon. It is one
 * socket from begin to end, of which the daemon always has a handle: whoever connects waits in its queue until
 * somebody accepts, whatever becomes of the processes.
 */
export class SharedSocket {
  /** Null: it has none. */
  readonly #path: string | null;
  #handle: ListeningHandle;
  readonly #options: SharedSocketOptions;
  #accepting = false;
  /** Counts who shall accept: what was begun for another is given up. */
  #turn = 0;
  #closed = false;
  #inode = 0;

  private constructor(path: string | null, handle: ListeningHandle, options: SharedSocketOptions) {
    this.#path = path;
    this.#handle = handle;
    this.#options = options;
    this.#listen();
  }

  /** The daemon accepts. What is at `path` is replaced: it must be a dead server's. */
  static async open(path: string, options: SharedSocketOptions): Promise<SharedSocket> {
    // Closing a handle unlinks what it was bound to: another name, no longer one, for which the kernel has a limit, and no
    // other server's, which may do the same at this moment.
    const bound = `${path.replace(/\.sock$/, '')}.${randomBytes(3).toString('base64url')}`;
    await sweep(path);
    const socket = new SharedSocket(path, bindSocket(bound), options);
    try {
      socket.#inode = statSync(bound).ino;
      await rename(bound, path);
    } catch (error) {
      socket.#handle.close();
      throw error;
    }
    return socket;
  }

  /** The same of a socket that is bound already and has no path: of TCP, where benchmarks have their load. The daemon accepts. */
  static over(handle: ListeningHandle, options: SharedSocketOptions): SharedSocket {
    return new SharedSocket(null, handle, options);
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
    // Another server may have put its own there.
    if (this.#path !== null && !this.isReplaced) rmSync(this.#path, { force: true });
    this.accept();
  }

  /** Whether another server's socket has its path: nobody can connect to this one any more. */
  get isReplaced(): boolean {
    if (this.#path === null) return false;
    const there = statSync(this.#path, { throwIfNoEntry: false });
    return there !== undefined && there.ino !== this.#inode;
  }

  close(): void {
    if (this.#closed) return;
    this.unlink();
    this.#closed = true;
    this.#handle.close();
  }
}

/** Removes what a server left that was killed between binding and renaming. */
async function sweep(path: string): Promise<void> {
  const [folder, name] = [dirname(path), basename(path, '.sock')];
  const left = (await readdir(folder)).filter(
    (each) => each.startsWith(`${name}.`) && /^\.(?!sock$)[\w-]{4}$/.test(each.slice(name.length)),
  );
  await Promise.all(left.map((each) => rm(join(folder, each), { force: true })));
}
