import { createRequire } from 'node:module';
import type { Client } from 'undici';
import { entryPoint } from '../../runtime/entry-points.ts';

/** undici's client: one connection. */
type ClientClass = typeof Client;

let loaded: ClientClass | null = null;

/** The client without the rest of undici, of which a gateway needs nothing. The first call loads it: behind nginx there is none. */
export function undiciClient(): ClientClass {
  return (loaded ??= createRequire(import.meta.url)(entryPoint('router/gateway/undici.cjs')) as ClientClass);
}
