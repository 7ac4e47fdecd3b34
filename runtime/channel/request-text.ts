import type { FrameField } from './frames.ts';

/**
 * What an invocation says of its request, in one text: a message of one long string and three numbers costs less, to
 * write and to read, than one of four strings, and hardly any handler looks at all of them.
 */

/** The texts of a request. */
export interface RequestTexts {
  requestId: string;
  clientAddress: string;
  url: string;
  /** As the client sent them, a line each. */
  headerLines: string;
}

/** The texts of a request on the channel. */
export interface RequestText {
  /** Id, address, URL and headers, one behind the other. */
  text: string;
  /** Where they end; the headers end with the text. */
  idEnd: number;
  addressEnd: number;
  urlEnd: number;
}

/** One text of four. */
export function requestText({ requestId, clientAddress, url, headerLines }: RequestTexts): RequestText {
  const idEnd = requestId.length;
  const addressEnd = idEnd + clientAddress.length;
  return {
    text: requestId + clientAddress + url + headerLines,
    idEnd,
    addressEnd,
    urlEnd: addressEnd + url.length,
  };
}

/** The text and the ends in a frame, from `at` on. */
export function requestTextAt(batch: readonly FrameField[], at: number): RequestText {
  return {
    text: batch[at] as string,
    idEnd: batch[at + 1] as number,
    addressEnd: batch[at + 2] as number,
    urlEnd: batch[at + 3] as number,
  };
}
