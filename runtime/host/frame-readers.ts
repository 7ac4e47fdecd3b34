import type { FrameBody, FrameField, Reply } from '../channel/frames.ts';
import type { WorkerLogLine } from './invocation.ts';

/** The `respond` frame at `at`. */
export function replyAt(batch: readonly FrameField[], at: number): Reply {
  return {
    status: batch[at + 2] as number,
    text: batch[at + 3] as string,
    body: batch[at + 4] as FrameBody,
    announcedBytes: batch[at + 5] as number,
  };
}

/** The `log` frame at `at`. */
export function logLineAt(batch: readonly FrameField[], at: number): WorkerLogLine {
  return {
    level: batch[at + 1] as WorkerLogLine['level'],
    requestId: batch[at + 2] as string | null,
    message: batch[at + 3] as string,
    stack: batch[at + 4] as string | null,
    fields: batch[at + 5] as Record<string, unknown> | null,
    dropped: batch[at + 6] as number,
  };
}
