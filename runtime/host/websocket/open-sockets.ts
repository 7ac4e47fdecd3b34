import type { OpenSocket } from './open-socket.ts';

/** The WebSockets of an app host that are open, and the number of those that are or may become so. */
export interface OpenSockets {
  readonly underWay: number;
  readonly closing: boolean;
  /** An upgrade has begun. */
  begin(): void;
  /** It has opened a socket. */
  add(socket: OpenSocket): void;
  /** It is over, and its socket (if there was one) closed. */
  end(socket: OpenSocket | null): void;
  /** Closes all, and whatever still opens. */
  close(code: number, reason: string): void;
}

/** Pings open sockets every `pingEveryMs`; no timer runs while there is none. */
export function trackSockets({ pingEveryMs }: { pingEveryMs: number }): OpenSockets {
  const open = new Set<OpenSocket>();
  let underWay = 0;
  let closing: { code: number; reason: string } | null = null;
  let pinger: NodeJS.Timeout | null = null;
  return {
    get underWay() {
      return underWay;
    },
    get closing() {
      return closing !== null;
    },
    begin() {
      underWay++;
    },
    add(socket) {
      open.add(socket);
      pinger ??= setInterval(() => {
        for (const each of open) each.ping();
      }, pingEveryMs);
      if (closing !== null) socket.close(closing.code, closing.reason);
    },
    end(socket) {
      underWay--;
      if (socket !== null) open.delete(socket);
      if (open.size > 0 || pinger === null) return;
      clearInterval(pinger);
      pinger = null;
    },
    close(code, reason) {
      closing = { code, reason };
      for (const socket of open) socket.close(code, reason);
    },
  };
}
