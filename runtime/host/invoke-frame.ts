import { methods, toWorker } from '../channel/frames.ts';
import type { FrameField } from '../channel/frames.ts';
import { requestText } from '../channel/request-text.ts';
import type { InvokeFields } from './invocation.ts';

/** Appends the `invoke` frame of an invocation. */
export function writeInvoke(batch: FrameField[], id: number, fields: InvokeFields): void {
  const { method, params, body, timeoutMs } = fields;
  const { text, idEnd, addressEnd, urlEnd } = requestText(fields);
  const known = methods.indexOf(method as (typeof methods)[number]);
  const shown = known < 0 ? method : known;
  batch.push(toWorker.invoke, id, shown, text, idEnd, addressEnd, urlEnd, params, body, timeoutMs);
}
