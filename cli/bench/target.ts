import type { FunctionStats } from '../../runtime/contract/ipc.ts';
import type { Address } from './load/connection.ts';

/** What load is offered to. */
export interface BenchTarget extends AsyncDisposable {
  /** For people: `GET /books of the app in …`, `GET http://127.0.0.1:3000/`. */
  name: string;
  address: Address;
  method: string;
  /** The bytes of one request. */
  request: Buffer;
  /** CPU time used so far; null: not known, because the process is not ours. */
  cpu(): AppCpu | null;
  /** Live figures of the function; null: none are known. */
  figures(): Promise<FunctionStats | null>;
}

/** CPU time in ms. */
export interface AppCpu {
  /** The whole app, all its threads. */
  totalMs: number;
  /** Each thread by its id; null where they cannot be read. The main thread has the id of the process. */
  threadsMs: ReadonlyMap<number, number> | null;
  mainThread: number;
}

/** What is sent, as a person gives it. */
export interface RequestOptions {
  method: string;
  /** Path and query. */
  path: string;
  host: string;
  /** Each `Name: value`. */
  headers: readonly string[];
  body: Buffer | null;
}

/** The bytes of one request; its connection is kept. */
export function requestBytes({ method, path, host, headers, body }: RequestOptions): Buffer {
  const named = (name: string): boolean => headers.some((line) => line.toLowerCase().startsWith(`${name}:`));
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...(named('host') ? [] : [`host: ${host}`]),
    ...(named('user-agent') ? [] : ['user-agent: fnrun-bench']),
    ...(body === null ? [] : [`content-length: ${body.length}`]),
    ...headers,
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body ?? Buffer.alloc(0)]);
}
