/**
 * Node's own fetch classes. Looking at one of these globals, even at its property descriptor,
 * loads all of undici, which takes longer than all else that a thread does until it is ready
 * (52 ms of CPU with it, 17 without, on the machine that decided this). So nothing here runs
 * before `installFetch` is called.
 */

/** The native classes behind the replacements. */
export interface NativeFetch {
  Request: typeof globalThis.Request;
  Response: typeof globalThis.Response;
  Headers: typeof globalThis.Headers;
  fetch: typeof globalThis.fetch;
}

let loaded: NativeFetch | null = null;

/** The native classes; they are loaded on the first call, which must come before anything is replaced. */
export function native(): NativeFetch {
  const { Request, Response, Headers, fetch } = globalThis;
  return (loaded ??= { Request, Response, Headers, fetch });
}

/** Puts `value` in the place of a global. */
export function replaceGlobal(name: keyof NativeFetch, value: unknown): void {
  Object.defineProperty(globalThis, name, { configurable: true, writable: true, enumerable: false, value });
}
