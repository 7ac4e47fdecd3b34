/**
 * The complete implementation of fetch behind the replacements of this folder: undici, the one that Node has built in,
 * in the same version, from its package. Node's own cannot be had without loading it: to look at one of its
 * globals, even to redefine it, loads all of undici, and that is more than all else a thread does until it is ready
 * (45 ms of CPU and 6 MB a thread, where a thread without it takes 30 and 7). Most handlers never need it.
 */
import { createRequire } from 'node:module';

/** The classes and functions behind the replacements. */
export interface NativeFetch {
  Request: typeof globalThis.Request;
  Response: typeof globalThis.Response;
  Headers: typeof globalThis.Headers;
  FormData: typeof globalThis.FormData;
  fetch: typeof globalThis.fetch;
}

/** Where the build puts it, as one file. */
const besideWorker = './fetch/undici.cjs';

const hooks: ((classes: NativeFetch) => void)[] = [];
let loaded: NativeFetch | null = null;

/** The native classes; the first call loads them. */
export function native(): NativeFetch {
  if (loaded !== null) return loaded;
  const require = createRequire(import.meta.url);
  const isBuilt = import.meta.url.endsWith('.cjs');
  loaded = (isBuilt ? require(besideWorker) : require('undici/index-fetch.js')) as NativeFetch;
  for (const hook of hooks) hook(loaded);
  return loaded;
}

/** The native classes when something has needed them already: before, no value can be of one of them. */
export function nativeIfLoaded(): NativeFetch | null {
  return loaded;
}

/** Calls `hook` when the native classes are loaded. */
export function onNative(hook: (classes: NativeFetch) => void): void {
  if (loaded === null) hooks.push(hook);
  else hook(loaded);
}

/** Puts `value` in the place of a global. */
export function replaceGlobal(name: keyof NativeFetch, value: unknown): void {
  removeGlobal(name);
  Object.defineProperty(globalThis, name, {
    configurable: true,
    writable: true,
    enumerable: name === 'fetch',
    value,
  });
}

/** Puts what `read` returns in the place of a global; it is read with the first use. */
export function replaceGlobalLazily(name: keyof NativeFetch, read: () => unknown): void {
  removeGlobal(name);
  Object.defineProperty(globalThis, name, {
    configurable: true,
    enumerable: false,
    get: read,
    set(value: unknown) {
      replaceGlobal(name, value);
    },
  });
}

/** Node's global is made when its property is redefined, but not when it is deleted. */
function removeGlobal(name: keyof NativeFetch): void {
  delete (globalThis as Partial<NativeFetch>)[name];
}
