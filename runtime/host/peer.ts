import type { IncomingMessage } from 'node:http';

/** Who sent a request, as far as the host can know. */
export interface Peer {
  protocol: 'http' | 'https';
  address: string;
}

/** Behind the gateway or nginx (a unix socket) the client is told by headers; else it is the peer. */
export function peerOf(req: IncomingMessage): Peer {
  const remote = req.socket.remoteAddress;
  if (remote !== undefined) return { protocol: 'http', address: remote };
  const forwarded = req.headers['x-forwarded-for'];
  const address = typeof forwarded === 'string' ? (forwarded.split(',').at(-1) ?? '').trim() : '';
  return { protocol: req.headers['x-forwarded-proto'] === 'https' ? 'https' : 'http', address: address || '127.0.0.1' };
}
