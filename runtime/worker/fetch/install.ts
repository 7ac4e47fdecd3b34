import { installHeaders } from './headers.ts';
import { native } from './native.ts';
import { installRequest } from './request.ts';
import { installResponse } from './response.ts';

let installed = false;

/** Replaces Request, Response, Headers and fetch of this thread. Loads undici; idempotent. */
export function installFetch(): void {
  if (installed) return;
  installed = true;
  native();
  installHeaders();
  installRequest();
  installResponse();
}
