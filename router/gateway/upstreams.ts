import type { Client, Dispatcher } from 'undici';
import { gatewayLimits } from '../../runtime/contract/limits.ts';
import { undiciClient } from './undici-client.ts';

/** A connection to an app, which carries one request at a time. */
export interface Upstream {
  readonly socketPath: string;
  readonly client: Client;
  /** It has carried one before this: it may have ended just now. */
  used: boolean;
}

/**
 * The kept connections to the apps. undici's own pool looks through all of them for a free one, with each request; here the one
 * that was used last goes first, and those that a peak left behind end for want of use.
 */
export class Upstreams {
  readonly #free = new Map<string, Upstream[]>();
  readonly #idleMs: number;
  #closed = false;

  /** Without a byte for `idleMs` a request is given up. */
  constructor({ idleMs }: { idleMs: number }) {
    this.#idleMs = idleMs;
  }

  /** A kept connection, or a new one. */
  take(socketPath: string): Upstream {
    return this.#free.get(socketPath)?.pop() ?? this.create(socketPath);
  }

  /** A new connection. */
  create(socketPath: string): Upstream {
    const Client = undiciClient();
    const client = new Client('http://app', {
      socketPath,
      allowH2: false,
      pipelining: 1,
      connectTimeout: gatewayLimits.connectMs,
      headersTimeout: this.#idleMs,
      bodyTimeout: this.#idleMs,
      keepAliveTimeout: gatewayLimits.freeSocketMs,
      keepAliveMaxTimeout: gatewayLimits.freeSocketMs,
    });
    const upstream: Upstream = { socketPath, client, used: false };
    client.on('disconnect', () => this.#forget(upstream));
    return upstream;
  }

  /** Takes back a connection whose request has been answered, and keeps it unless there are many. */
  release(upstream: Upstream): void {
    const free = this.#free.get(upstream.socketPath);
    if (this.#closed || (free?.length ?? 0) >= gatewayLimits.freeSocketsPerApp) return closeClient(upstream.client);
    upstream.used = true;
    if (free === undefined) this.#free.set(upstream.socketPath, [upstream]);
    else free.push(upstream);
  }

  /** Ends those that are free, and others once they are. */
  close(): void {
    this.#closed = true;
    for (const free of this.#free.values()) for (const { client } of free) closeClient(client);
    this.#free.clear();
  }

  /** One that is in use connects again by itself when its request has not gone out yet; else that request fails. */
  #forget(upstream: Upstream): void {
    const free = this.#free.get(upstream.socketPath);
    const at = free?.indexOf(upstream) ?? -1;
    if (free === undefined || at < 0) return;
    free.splice(at, 1);
    if (free.length === 0) this.#free.delete(upstream.socketPath);
    destroyClient(upstream.client);
  }
}

/** Ends a connection behind what it carries. */
function closeClient(client: Dispatcher): void {
  client.close().catch(() => {});
}

/** Ends a connection, with what it carries. */
export function destroyClient(client: Dispatcher): void {
  client.destroy().catch(() => {});
}
