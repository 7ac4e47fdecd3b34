import { ServerResponse } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { httpLimits } from '../../contract/limits.ts';

/**
 * A response to an upgrade request. Node has given up the connection's parser with it, so the connection ends with the
 * response: what the client has sent after its request is read for a moment, so that it sees the answer, and dropped.
 */
export function refusalOf(req: IncomingMessage, socket: Socket): ServerResponse {
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(socket);
  res.once('finish', () => {
    res.detachSocket(socket);
    socket.end();
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), httpLimits.lingerMs);
    socket.once('close', () => clearTimeout(timer));
  });
  return res;
}
