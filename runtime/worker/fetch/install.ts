import { installHeaders } from './headers.ts';
import { native, replaceGlobalLazily } from './native.ts';
import { installRequest } from './request.ts';
import { installResponse } from './response.ts';

let installed = false;

/** Replaces Request, Response, Headers, FormData and fetch of this thread; idempotent. Loads nothing. */
export function installFetch(): void {
  if (installed) return;
  installed = true;
  installHeaders();
  installRequest();
  installResponse();
  replaceGlobalLazily('FormData', () => native().FormData);
  installStreaming();
}

type Source = Response | PromiseLike<Response>;

/** The part of WebAssembly that knows responses; TypeScript has it among the types of browsers only. */
interface Streaming {
  compile(bytes: ArrayBuffer): Promise<unknown>;
  instantiate(bytes: ArrayBuffer, imports?: object): Promise<unknown>;
  compileStreaming(source: Source): Promise<unknown>;
  instantiateStreaming(source: Source, imports?: object): Promise<unknown>;
}

/** Node's own take the responses of its built-in fetch only. */
function installStreaming(): void {
  const wasm = (globalThis as unknown as { WebAssembly: Streaming }).WebAssembly;
  const bytesOf = async (source: Source): Promise<ArrayBuffer> => {
    const response = await source;
    const type = response.headers.get('content-type');
    if (type !== 'application/wasm') throw new TypeError(`WebAssembly response has unsupported MIME type '${type}'`);
    if (!response.ok) throw new TypeError(`WebAssembly response has status code ${response.status}`);
    return await response.arrayBuffer();
  };
  wasm.compileStreaming = async (source) => await wasm.compile(await bytesOf(source));
  wasm.instantiateStreaming = async (source, imports) => await wasm.instantiate(await bytesOf(source), imports);
}
