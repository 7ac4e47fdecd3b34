import { setFlagsFromString } from 'node:v8';

let given = 0;

/**
 * Has V8 begin the young generation of every thread that is started from now on with two halves of `mb`, and never less: it
 * starts with 1 MB, grows by what survives, and hardly anything of a request does. A thread reads the flag as it
 * starts, so that of two that are started in one moment both may get the later figure. `resourceLimits` know the upper bound only.
 */
export function setFirstSemiSpace(mb: number): void {
  if (mb === given) return;
  given = mb;
  setFlagsFromString(`--min-semi-space-size=${mb}`);
}
