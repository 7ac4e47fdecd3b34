import type { IncomingMessage } from 'node:http';
import { isDistrusted } from './guard-server.ts';

/**
 * Whether a request may become a WebSocket (for `shouldUpgradeCallback`). All others are served as they are: some
 * clients offer `Upgrade: h2c` with every request, and HTTP/1.0 has no upgrades (RFC 9110, section 7.8).
 */
export function isUpgradeRequest(req: IncomingMessage): boolean {
  const { method, headers, httpVersionMinor, socket } = req;
  if (method !== 'GET' || httpVersionMinor === 0 || headers.upgrade?.toLowerCase() !== 'websocket') return false;
  // Bytes of a body would be taken for frames by one program and for a request by another.
  if (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0') return false;
  // Node hands the connection over at once: its frames would stand before the answer to an earlier request.
  const answering = (socket as { _httpMessage?: object | null })._httpMessage ?? null;
  return answering === null && !isDistrusted(req);
}
