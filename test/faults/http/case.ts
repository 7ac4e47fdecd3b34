import type { ErrorCode } from '../../../runtime/contract/errors.ts';

/** How the app is reached: on its own socket, under `fnrun dev` (node:http reads all), through the gateway, through nginx. */
export type Way = 'socket' | 'dev' | 'gateway' | 'nginx';

/** What must come of some bytes on a connection. */
export interface Outcome {
  /**
   * The status of each response, in order; an interim one (100) counts. A pattern where several outcomes are as good: it is
   * matched with the statuses, joined by a space; an empty text is none.
   */
  answers: readonly number[] | RegExp;
  /**
   * `kept`: the connection carries another request, whose answer is the next thing that comes. `closed`: the server
   * ends it. `any`: one of these. `open`: the server waits for more, and has said nothing beyond `answers`.
   */
  then: 'kept' | 'closed' | 'any' | 'open';
  /** Every request that a handler was given, as `METHOD path`; one of the other app as `other: METHOD path`. */
  seen: readonly string[];
  /** A request that a handler may have been given, before what was wrong came. */
  mayHaveSeen?: string;
  /** The last response is this problem of the platform. nginx's own pages have none. */
  code?: ErrorCode | undefined;
  /** Members of what the echo function says of the last request; header values may be patterns, null is absence. */
  saw?: Saw | undefined;
  /** Headers of the last response. */
  headers?: Readonly<Record<string, string | RegExp | null>> | undefined;
  /** A response that the server broke off: what came of it. */
  cut?: RegExp;
  /** The body of the last response. */
  body?: string | RegExp | undefined;
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

/** nginx refuses it by itself, or hangs up; or it passes the app's answer on, and keeps the connection. */
export const nginxRefuses: Outcome = { answers: /^(4\d\d|501|505)?$/, then: 'any', seen: [] };

/** nginx reads over it and writes a good request to the app: one, with the same reading. */
export function nginxMends(seen: string): Partial<Outcome> {
  return { ...passes(seen), then: 'any' };
}

/** What is expected of a case on one of the ways. */
export function outcomeOf(entry: HttpCase, way: Way): Outcome {
  if (way === 'socket' || way === 'dev') return entry.expect;
  if (way === 'nginx' && entry.expect === refused && entry.nginx === undefined) return nginxRefuses;
  return { ...entry.expect, ...entry[way] };
}
