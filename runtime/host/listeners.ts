import type { Socket } from 'node:net';
import { FnrunError } from '../contract/errors.ts';
import { acceptFrom } from '../listening-handle.ts';
import { readIntoOne } from './direct/read-buffer.ts';
import type { ListeningHandle } from '../listening-handle.ts';

/** The handles of its app's socket that a host accepts from. */
export class Listeners {
  readonly #onSocket: (socket: Socket) => void;
  readonly #handles = new Set<ListeningHandle>();

  constructor({ onSocket }: { onSocket: (socket: Socket) => void }) {
    this.#onSocket = onSocket;
  }

  /** Throws FN_HOST_FAILED when it came without: this process has no file descriptor left. */
  add(handle: ListeningHandle | null | undefined): void {
    if (handle == null) throw new FnrunError('FN_HOST_FAILED', 'No socket came: the process has too many open files');
    acceptFrom(handle, { paused: false, onread: readIntoOne, onSocket: this.#onSocket });
    this.#handles.add(handle);
  }

  /** Accepts nobody from here on. */
  close(): void {
    for (const handle of this.#handles) handle.close();
    this.#handles.clear();
  }
}
