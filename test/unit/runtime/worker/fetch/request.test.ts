import { expect, test } from 'vitest';
import type { ArrivingBody } from '../../../../../runtime/worker/body-source.ts';
import { installFetch } from '../../../../../runtime/worker/fetch/install.ts';
import { createRequest } from '../../../../../runtime/worker/fetch/request.ts';

installFetch();

function request(body: string | null = null, parts: { method?: string; url?: string } = {}): Request {
  return createRequest({
    method: parts.method ?? (body === null ? 'GET' : 'POST'),
    url: parts.url ?? 'http://a.example/b?c=1',
    headerLines: 'Content-Type: application/json\r\nX-A: 1\r\nx-a:2\r\n',
    body: body === null ? null : new TextEncoder().encode(body),
    signal: AbortSignal.any([]),
  });
}

test('Request passes for one of the class, and its copies are', async () => {
  const own = request('{"a":1}');
  expect(own instanceof Request).toBe(true);
  const copy = new Request(own);
  expect([copy.method, copy.url, copy.headers.get('x-a'), await copy.json()]).toEqual([
    'POST',
    'http://a.example/b?c=1',
    '1, 2',
    { a: 1 },
  ]);
  const other = new Request(request('x'), { headers: { 'x-b': '3' } });
  expect([other.headers.get('x-a'), other.headers.get('x-b')]).toEqual([null, '3']);
});

test.each(['text', 'json', 'bytes', 'arrayBuffer', 'blob'] as const)(
  'Request reads its body by %s, once',
  async (method) => {
    const own = request('[1]');
    expect(own.bodyUsed).toBe(false);
    await own[method]();
    expect(own.bodyUsed).toBe(true);
    await expect(own.text()).rejects.toThrow(TypeError);
    await expect(own.blob()).rejects.toThrow(TypeError);
    expect(() => own.clone()).toThrow(TypeError);
  },
);

test('Request gives what its body holds', async () => {
  expect(await request('grün').text()).toBe('grün');
  expect(await request('\uFEFFa').text()).toBe('a');
  expect([...(await request('ab').bytes())]).toEqual([97, 98]);
  expect((await request('abc').arrayBuffer()).byteLength).toBe(3);
  await expect(request('{').json()).rejects.toThrow(SyntaxError);
  expect(await request().text()).toBe('');
  expect(request().body).toBeNull();
  expect(await request('a').body!.getReader().read()).toMatchObject({ done: false });
});

test('Request clones with both bodies and the headers as they are now', async () => {
  const own = request('x');
  own.headers.set('x-late', '1');
  const copy = own.clone();
  expect([await own.text(), await copy.text(), copy.headers.get('x-late')]).toEqual(['x', 'x', '1']);
});

test('Request has a URL that the URL standard would leave as it is', () => {
  expect(request(null, { url: 'http://A.example:80/"q"' }).url).toBe('http://a.example/%22q%22');
});

test('Request may be extended', () => {
  class Own extends Request {
    get shout(): string {
      return this.method.toUpperCase();
    }
  }
  const own = new Own('http://a.example/');
  expect([own instanceof Own, own instanceof Request, own.shout]).toEqual([true, true, 'GET']);
  expect(request() instanceof Own).toBe(false);
});

test('fetch takes a request', async () => {
  const own = createRequest({
    method: 'GET',
    url: 'data:text/plain,hi',
    headerLines: '',
    body: null,
    signal: AbortSignal.any([]),
  });
  const response = await fetch(own);
  expect([await response.text(), response instanceof Response]).toEqual(['hi', true]);
});

test('Request tells of its kind before and after its body was read as a stream', async () => {
  const own = request('abc');
  await new Response(own.body).text();
  const told = (one: Request) => [one.cache, one.credentials, one.mode, one.redirect, one.referrer, one.keepalive];
  expect(told(own)).toEqual(told(new Request('http://a.example/')));
  expect(() => own.clone()).toThrow(TypeError);
  await expect(own.blob()).rejects.toThrow(TypeError);
  // Some libraries copy a request property by property.
  const all: Record<string, unknown> = {};
  for (const name in own) all[name] = own[name as keyof Request];
  expect(all).toMatchObject({ method: 'POST', bodyUsed: true, isReloadNavigation: false });
});

test('Request and Response give their text as a stream', async () => {
  const textOf = async (one: object) => {
    let text = '';
    for await (const part of (one as { textStream(): AsyncIterable<string> }).textStream()) text += part;
    return text;
  };
  expect(await textOf(request('grün'))).toBe('grün');
  expect(await textOf(new Response('grün'))).toBe('grün');
});

test('Request takes a method that somebody puts in the place of one', async () => {
  const prototype = Request.prototype as { json: (this: Request) => Promise<unknown> };
  const { json } = prototype;
  try {
    prototype.json = async function () {
      return [await json.call(this)];
    };
    expect(await request('1').json()).toEqual([1]);
    expect(await new Request('http://a.example/', { method: 'POST', body: '2' }).json()).toEqual([2]);
  } finally {
    prototype.json = json;
  }
});

test('Request reads a body that is on its way as it arrives, whole or as a stream', async () => {
  const arriving = (): ArrivingBody => ({
    open: () => ReadableStream.from([new TextEncoder().encode('{"a"'), new TextEncoder().encode(':1}')]),
    collect: () => Promise.resolve(new TextEncoder().encode('{"a":1}')),
  });
  const made = (): Request =>
    createRequest({
      method: 'POST',
      url: 'http://a.example/',
      headerLines: '',
      body: arriving(),
      signal: AbortSignal.any([]),
    });
  expect(await made().json()).toEqual({ a: 1 });
  expect((await made().arrayBuffer()).byteLength).toBe(7);
  expect(await new Response(made().body).text()).toBe('{"a":1}');
  expect(await made().clone().text()).toBe('{"a":1}');
  const read = made();
  await read.bytes();
  expect(read.bodyUsed).toBe(true);
  await expect(read.text()).rejects.toThrow(TypeError);
});
