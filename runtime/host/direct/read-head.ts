import { httpLimits } from '../../contract/limits.ts';
import { readDirectHead } from './request-head.ts';
import type { DirectHead } from './request-head.ts';

/** Up to so many bytes are taken for a head alone when they end like one: usual ones are shorter. */
const loneHeadBytes = 8 * 1024;
const carriageReturn = 13;
const lineFeed = 10;

/** Whether what came ends as a head does. */
export function endsWithHead(bytes: Buffer, length: number): boolean {
  return (
    length <= loneHeadBytes &&
    bytes[length - 1] === lineFeed &&
    bytes[length - 3] === lineFeed &&
    bytes[length - 2] === carriageReturn &&
    bytes[length - 4] === carriageReturn
  );
}

/** The head whose last line ends at `end`; null: node:http reads it. */
export function readHead(bytes: Buffer, end: number): DirectHead | null {
  return end <= 0 || end > httpLimits.headBytes ? null : readDirectHead(bytes.toString('latin1', 0, end + 2));
}
