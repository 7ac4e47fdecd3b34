import type { Config, WebSocketContext } from 'fnrun';

// Rooms live in the memory of a worker, so all of their members must be in the same one.
// An open socket takes a place of `concurrency`: so many people may be here at once.
export const config = { maxWorkers: 1, concurrency: 1_000, maxMessageBytes: 16_384 } satisfies Config;

const rooms = new Map<string, Set<WebSocket>>();

/** Asked before a socket is opened: who has no name stays outside. */
export function upgrade(request: Request): Response | undefined {
  if (/^[\p{L}\p{N} ._-]{1,32}$/u.test(nameIn(request))) return undefined;
  return new Response('Add ?name= with 1 to 32 letters or digits\n', { status: 400 });
}

/** Called with each open socket. */
export function websocket(socket: WebSocket, ctx: WebSocketContext): void {
  const room = String(ctx.params['room']);
  const name = nameIn(ctx.request);
  const members = rooms.get(room) ?? new Set();
  rooms.set(room, members.add(socket));
  tell(members, { name, event: 'joined', members: members.size });

  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') tell(members, { name, text: data });
    else socket.close(1003, 'text only');
  });
  socket.addEventListener('close', () => {
    members.delete(socket);
    if (members.size === 0) rooms.delete(room);
    tell(members, { name, event: 'left', members: members.size });
  });
}

function tell(members: Set<WebSocket>, message: object): void {
  const text = JSON.stringify(message);
  for (const member of members) member.send(text);
}

function nameIn(request: Request): string {
  return new URL(request.url).searchParams.get('name') ?? '';
}
