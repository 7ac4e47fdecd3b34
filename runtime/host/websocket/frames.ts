import { toHost } from '../../channel/frames.ts';
import type { FrameField } from '../../channel/frames.ts';
import type { InvocationListener } from '../invocation.ts';

/**
 * Reads a frame of a WebSocket at `at` for its listener (null: the host has done with it) and returns its length.
 * Throws for a frame that is none of these.
 */
export function readSocketFrame(
  batch: readonly FrameField[],
  at: number,
  listener: InvocationListener | null | undefined,
): number {
  const socket = listener?.socket;
  switch (batch[at] as number) {
    case toHost.accept:
      socket?.onAccept?.(batch[at + 2] as string[], batch[at + 3] as string);
      return 4;
    case toHost.send:
      socket?.onSend(batch[at + 2] as string | Uint8Array);
      return 3;
    case toHost.close:
      socket?.onClose(batch[at + 2] as number, batch[at + 3] as string);
      return 4;
    case toHost.taken:
      socket?.onTaken(batch[at + 2] as number, batch[at + 3] as number);
      return 4;
    default:
      throw new Error(`Cannot read frame: unknown opcode ${JSON.stringify(batch[at])}`);
  }
}
