import { isUtf8 } from 'node:buffer';
import { flatOf } from '../channel/header-lines.ts';
import type { Invocation } from './invocation.ts';

/** Where a Lambda-style function stands. */
export interface LambdaPlace {
  app: string;
  /** `/users/:id`, `/files/*rest`. */
  route: string;
  /** Whether the function restricts its methods: decides the route key. */
  anyMethod: boolean;
}

/** API Gateway's HTTP API event, payload format 2.0. */
export function eventV2(invocation: Invocation, body: Uint8Array, place: LambdaPlace): Record<string, unknown> {
  const url = new URL(invocation.url);
  const target = splitTarget(invocation.url);
  const headers: Record<string, string> = {};
  const cookies: string[] = [];
  for (const [name, value] of pairs(flatOf(invocation.headerLines))) {
    const key = name.toLowerCase();
    if (key === 'cookie') cookies.push(...value.split(/;\s*/).filter((part) => part !== ''));
    else headers[key] = key in headers ? `${headers[key]},${value}` : value;
  }
  const resource = resourceOf(place.route);
  const routeKey = `${place.anyMethod ? 'ANY' : invocation.method} ${resource}`;
  const now = new Date();
  const event: Record<string, unknown> = {
    version: '2.0',
    routeKey,
    rawPath: target.path,
    rawQueryString: target.query,
    ...(cookies.length > 0 && { cookies }),
    headers,
    ...queryOf(url.searchParams, (values) => values.join(',')),
    requestContext: {
      accountId: 'anonymous',
      apiId: place.app,
      domainName: url.hostname,
      domainPrefix: url.hostname.split('.')[0],
      http: {
        method: invocation.method,
        path: target.path,
        protocol: 'HTTP/1.1',
        sourceIp: invocation.clientAddress,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: invocation.requestId,
      routeKey,
      stage: '$default',
      time: commonLogTime(now),
      timeEpoch: now.getTime(),
    },
    ...pathParametersOf(invocation.rawParams),
    ...bodyOf(body, headers),
  };
  return event;
}

/** API Gateway's REST API event, payload format 1.0: header names as the client wrote them. */
export function eventV1(invocation: Invocation, body: Uint8Array, place: LambdaPlace): Record<string, unknown> {
  const url = new URL(invocation.url);
  const target = splitTarget(invocation.url);
  const multiValueHeaders: Record<string, string[]> = {};
  for (const [name, value] of pairs(flatOf(invocation.headerLines))) (multiValueHeaders[name] ??= []).push(value);
  const headers = Object.fromEntries(Object.entries(multiValueHeaders).map(([name, values]) => [name, values.at(-1)!]));
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const query = queryOf(url.searchParams, (values) => values.at(-1)!).queryStringParameters ?? null;
  const multi = [...new Set(url.searchParams.keys())].map((key) => [key, url.searchParams.getAll(key)] as const);
  const now = new Date();
  const encoded = bodyOf(body, lower);
  return {
    version: '1.0',
    resource: resourceOf(place.route),
    path: target.path,
    httpMethod: invocation.method,
    headers,
    multiValueHeaders,
    queryStringParameters: query,
    multiValueQueryStringParameters: multi.length > 0 ? Object.fromEntries(multi) : null,
    pathParameters: pathParametersOf(invocation.rawParams).pathParameters ?? null,
    stageVariables: null,
    requestContext: {
      accountId: 'anonymous',
      apiId: place.app,
      domainName: url.hostname,
      domainPrefix: url.hostname.split('.')[0],
      extendedRequestId: invocation.requestId,
      httpMethod: invocation.method,
      identity: { sourceIp: invocation.clientAddress, userAgent: lower['user-agent'] ?? null },
      path: target.path,
      protocol: 'HTTP/1.1',
      requestId: invocation.requestId,
      requestTime: commonLogTime(now),
      requestTimeEpoch: now.getTime(),
      resourcePath: resourceOf(place.route),
      stage: '$default',
    },
    body: encoded.body ?? null,
    isBase64Encoded: encoded.isBase64Encoded,
  };
}

function* pairs(flat: readonly string[]): Generator<[string, string]> {
  for (let i = 0; i < flat.length; i += 2) yield [flat[i]!, flat[i + 1]!];
}

// The URL class normalises; an event carries the target as it was sent.
function splitTarget(url: string): { path: string; query: string } {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const target = start < 0 ? '/' : url.slice(start);
  const mark = target.indexOf('?');
  return mark < 0 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

function queryOf(
  search: URLSearchParams,
  join: (values: string[]) => string,
): { queryStringParameters?: Record<string, string> } {
  const keys = [...new Set(search.keys())];
  if (keys.length === 0) return {};
  return { queryStringParameters: Object.fromEntries(keys.map((key) => [key, join(search.getAll(key))])) };
}

function pathParametersOf(params: Invocation['rawParams']): { pathParameters?: Record<string, string> } {
  const entries = Object.entries(params);
  if (entries.length === 0) return {};
  return {
    pathParameters: Object.fromEntries(
      entries.map(([key, value]) => [key, Array.isArray(value) ? value.join('/') : value]),
    ),
  };
}

// What API Gateway passes as text; everything else, form bodies among it, comes as base64.
const textType = /^(?:text\/|application\/(?:json|javascript|xml)\b|[^;]*\+(?:json|xml)\b)/i;

function bodyOf(body: Uint8Array, headers: Record<string, string>): { body?: string; isBase64Encoded: boolean } {
  if (body.byteLength === 0) return { isBase64Encoded: false };
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const named = headers['content-encoding'] === undefined && textType.test(headers['content-type'] ?? 'text/plain');
  // Bytes that are no UTF-8 would not survive as text, whatever their type says.
  const isText = named && isUtf8(buffer);
  return isText
    ? { body: buffer.toString('utf8'), isBase64Encoded: false }
    : { body: buffer.toString('base64'), isBase64Encoded: true };
}

function resourceOf(route: string): string {
  return route
    .split('/')
    .map((segment) =>
      segment.startsWith(':')
        ? `{${segment.slice(1)}}`
        : segment.startsWith('*')
          ? `{${segment.slice(1) || 'proxy'}+}`
          : segment,
    )
    .join('/');
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function commonLogTime(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${two(at.getUTCDate())}/${months[at.getUTCMonth()]}/${at.getUTCFullYear()}`;
  return `${day}:${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`;
}
