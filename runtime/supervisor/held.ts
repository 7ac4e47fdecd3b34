import type { Socket } from 'node:net';
import { hostLimits } from '../contract/limits.ts';
import { refuse } from './refuse.ts';

/** Connections that wait for a process, unread. */
export class Held {
  readonly #sockets = new Set<Socket>();

  get full(): boolean {
    return this.#sockets.size >= hostLimits.heldConnections;
  }

  add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** All of them; none is held any more. */
  take(): Socket[] {
    const sockets = [...this.#sockets];
    this.#sockets.clear();
    return sockets;
  }

  refuseAll(why: { detail: string; retryAfterMs?: number }): void {
    for (const socket of this.take()) refuse(socket, why);
  }
}
