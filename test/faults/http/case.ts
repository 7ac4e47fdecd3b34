import type { ErrorCode } from '../../../runtime/contract/errors.ts';

/** How the app is reached: on its own socket, through the gateway, through nginx. */
export type Way = 'socket' | 'gateway' | 'nginx';

/** What must come of some bytes on a connection. */
export interface Outcome {
  /** The status of each response, in order; an interim one (100) counts. */
  answers: readonly number[];
  /**
   * `kept`: the connection carries another request, whose answer is the next thing that comes. `closed`: the server
   * ends it. `open`: the server waits for more, and has said nothing beyond `answers`.
   */
  then: 'kept' | 'closed' | 'open';
  /** Every request that a handler was given, as `METHOD path`; one of the other app as `other: METHOD path`. */
  seen: readonly string[];
  /** The last response is this problem of the platform. nginx's own pages have none. */
  code?: ErrorCode;
  /** Members of what the echo function says of the last request; header values may be patterns, null is absence. */
  saw?: Saw;
  /** Headers of the last response. */
  headers?: Readonly<Record<string, string | RegExp | null>>;
  /** A response that the server broke off: what came of it. */
  cut?: RegExp;
  /** The body of the last response. */
  body?: string | RegExp;
}

export interface Saw {
  app?: string;
  method?: string;
  url?: string;
  segments?: readonly string[];
  bytes?: number;
  body?: string;
  headers?: Readonly<Record<string, string | RegExp | null>>;
}

/** One row of the corpus: bytes in, outcome out, whichever way the app is reached. */
export interface HttpCase {
  name: string;
  /** Bytes, one a character. Of several pieces each waits for one more answer to the ones before it. */
  send: string | readonly string[];
  expect: Outcome;
  /** What differs behind the gateway. */
  gateway?: Partial<Outcome>;
  /** What differs behind nginx, which judges first and answers with pages of its own. */
  nginx?: Partial<Outcome>;
  /** The requests are HEAD: no response has a body. */
  head?: true;
}

/** The Host that names the app under test; the other one is `other.localhost`. */
export const host = 'Host: one.localhost';

/** A whole request: a request line, header lines and a body, as they are. */
export function request(line: string, headers: readonly string[] = [host], body = ''): string {
  return [line, ...headers, '', body].join('\r\n');
}

/** A POST to /p with these lines beside the Host. */
export function post(headers: readonly string[], body: string): string {
  return request('POST /p HTTP/1.1', [host, ...headers], body);
}

/** A GET of /g with these lines beside the Host. */
export function get(headers: readonly string[] = [], target = '/g'): string {
  return request(`GET ${target} HTTP/1.1`, [host, ...headers]);
}

/** Answered once, with 200; the connection goes on. */
export function passes(seen: string, saw?: Saw): Outcome {
  return { answers: [200], then: 'kept', seen: [seen], ...(saw !== undefined && { saw }) };
}

/** Answered once with 400, by whoever reads it first; the connection ends, no handler is called. */
export const refused: Outcome = { answers: [400], then: 'closed', seen: [], code: 'FN_BAD_REQUEST' };

/** nginx refuses it by itself. */
export const nginxRefuses: Partial<Outcome> = { answers: [400], then: 'closed', seen: [] };
