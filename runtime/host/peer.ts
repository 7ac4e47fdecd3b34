import type { IncomingMessage } from 'node:http';

/** Who sent a request, as far as the host can know. */
export interface Peer {
  protocol: 'http' | 'https';
  address: string;
}

/** Behind the gateway or nginx (a unix socket) the client is told by headers; else it is the peer. */
export function peerFrom(
  remoteAddress: string | undefined,
  { forwardedFor, forwardedProto }: { forwardedFor: string | undefined; forwardedProto: string | undefined },
): Peer {
  if (remoteAddress !== undefined) return { protocol: 'http', address: remoteAddress };
  const address = forwardedFor === undefined ? '' : forwardedFor.slice(forwardedFor.lastIndexOf(',') + 1).trim();
  return { protocol: forwardedProto === 'https' ? 'https' : 'http', address: address || '127.0.0.1' };
}

/** The peer of a request that node:http has read. */
export function peerOf(req: IncomingMessage): Peer {
  const text = (value: string | string[] | undefined): string | undefined =>
    typeof value === 'string' ? value : undefined;
  return peerFrom(req.socket.remoteAddress, {
    forwardedFor: text(req.headers['x-forwarded-for']),
    forwardedProto: text(req.headers['x-forwarded-proto']),
  });
}
