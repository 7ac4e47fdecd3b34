import { methods, toWorker } from './frames.ts';
import type { FrameBody, FrameField } from './frames.ts';
import type { Outbox } from './outbox.ts';
import { requestText } from './request-text.ts';
import type { RequestTexts } from './request-text.ts';

/** What to invoke. */
export interface InvokeFields extends RequestTexts {
  method: string;
  /** Null: the route has none. */
  params: Record<string, unknown> | null;
  body: FrameBody;
  timeoutMs: number;
}

/** Appends the `invoke` frame of an invocation. */
export function writeInvoke(batch: FrameField[], id: number, fields: InvokeFields): void {
  const { method, params, body, timeoutMs } = fields;
  const { text, idEnd, addressEnd, urlEnd } = requestText(fields);
  const known = methods.indexOf(method as (typeof methods)[number]);
  const shown = known < 0 ? method : known;
  batch.push(toWorker.invoke, id, shown, text, idEnd, addressEnd, urlEnd, params, body, timeoutMs);
}

/** Posts it with the rest of this poll phase. Nobody else may need the body. */
export function postInvoke(outbox: Outbox, id: number, fields: InvokeFields): void {
  if (fields.body instanceof Uint8Array) outbox.move(fields.body);
  writeInvoke(outbox.open(), id, fields);
  outbox.soon();
}
