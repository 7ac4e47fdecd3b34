import { BadResponseError } from './reply.ts';

/** Turns a Lambda handler's result into a response, as API Gateway does for `payload`. */
export function lambdaResponse(result: unknown, payload: '1.0' | '2.0'): Response {
  if (result instanceof Response) return result;
  const object = typeof result === 'object' && result !== null ? (result as Record<string, unknown>) : null;
  if (object === null || object['statusCode'] === undefined) {
    if (payload === '1.0') {
      throw new BadResponseError('the handler returned no statusCode, which payload 1.0 needs');
    }
    const text = typeof result === 'string' ? result : JSON.stringify(result ?? null);
    return new Response(text, { headers: { 'content-type': 'application/json' } });
  }
  const status = Number(object['statusCode']);
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new BadResponseError(
      `the handler returned the statusCode ${JSON.stringify(object['statusCode'])}: 200 to 599 is due`,
    );
  }
  const headers = headersOf(object);
  const body = bodyOf(object);
  if (!headers.has('content-type') && body !== null) {
    headers.set('content-type', payload === '1.0' ? 'application/json' : 'text/plain;charset=utf-8');
  }
  const empty = status === 204 || status === 205 || status === 304;
  return new Response(empty ? null : body, { status, headers });
}

function headersOf(result: Record<string, unknown>): Headers {
  const headers = new Headers();
  const single = (result['headers'] ?? {}) as Record<string, unknown>;
  const multi = (result['multiValueHeaders'] ?? {}) as Record<string, unknown>;
  try {
    for (const [name, value] of Object.entries(single)) {
      if (value === undefined || value === null || hasName(multi, name)) continue;
      for (const one of Array.isArray(value) ? value : [value]) headers.append(name, String(one));
    }
    for (const [name, values] of Object.entries(multi)) {
      for (const value of Array.isArray(values) ? values : [values]) headers.append(name, String(value));
    }
    const cookies = result['cookies'];
    if (Array.isArray(cookies)) for (const cookie of cookies) headers.append('set-cookie', String(cookie));
  } catch (error) {
    throw new BadResponseError(`the handler returned a header that cannot be sent: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return headers;
}

function hasName(headers: Record<string, unknown>, name: string): boolean {
  return Object.keys(headers).some((key) => key.toLowerCase() === name.toLowerCase());
}

function bodyOf(result: Record<string, unknown>): string | Uint8Array<ArrayBuffer> | null {
  const body = result['body'];
  if (body === undefined || body === null) return null;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return result['isBase64Encoded'] === true ? new Uint8Array(Buffer.from(text, 'base64')) : text;
}
