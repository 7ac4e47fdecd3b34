import type { ErrorCode } from '../../runtime/contract/errors.ts';
import type { HttpRequest, HttpResponse, HttpTarget } from '../support/http.ts';

/** How the fixture app is reached. */
export type Way = 'dev' | 'gateway' | 'socket';

/** The fixture app, reached one way. */
export interface Client {
  readonly way: Way;
  readonly target: HttpTarget;
  /** Sends a request with the app's Host unless it has one, and collects the response. */
  readonly request: (request: HttpRequest) => Promise<HttpResponse>;
}

/** What a response must be; what is not named is not looked at. */
export interface Expectation {
  /** @default 200 */
  status?: number;
  /** Joined value, a pattern, or null for a header that must be absent. Names in lower case. */
  headers?: Readonly<Record<string, string | RegExp | null>>;
  /** Every value of `set-cookie`, in order. */
  cookies?: readonly string[];
  /** The whole body. */
  text?: string;
  bytes?: readonly number[] | Uint8Array;
  /** The body parsed: equal, or (`jsonLike`) equal in the members named. */
  json?: unknown;
  jsonLike?: object;
  /** The response is this problem of the platform, and tells nothing of the code outside dev. */
  problem?: ErrorCode;
  /** The methods in `Allow`, in any order. */
  allow?: readonly string[];
}

/** One row of the table: a request with its response, or a conversation of its own. */
export type Case = { readonly name: string } & (
  | { readonly request: HttpRequest; readonly expect: Expectation; readonly run?: never }
  | { readonly run: (client: Client) => Promise<void>; readonly request?: never }
);

/** The host name that the requests carry. */
export const appHost = 'conformance.localhost';

/** A row that is a GET. */
export function get(name: string, path: string, expect: Expectation): Case {
  return { name, request: { path }, expect };
}
