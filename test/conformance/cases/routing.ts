import { appHost, get, type Case, type Expectation } from '../case.ts';
import { expect } from 'vitest';
import { exchangeRaw } from '../../support/raw-http.ts';

const notFound: Expectation = { problem: 'FN_NOT_FOUND' };
const badRequest: Expectation = { problem: 'FN_BAD_REQUEST' };

function route(path: string, expectation: Expectation): Case {
  return get(`routing: ${path}`, path, expectation);
}

/** The function and the parameters a path leads to. */
function leads(path: string, to: string, params: object = {}): Case {
  return route(path, { json: { function: to, params } });
}

function owner(path: string, text: string): Case {
  return route(path, { text });
}

/** The `{ fetch }` fixture answers, its URL not rewritten. */
function owned(path: string): Case {
  return route(path, { jsonLike: { self: 'the module', function: 'fetch', url: `http://${appHost}${path}` } });
}

/** Bytes that no client library sends: the status alone counts. */
function raw(name: string, target: string, status: number): Case {
  return {
    name: `routing: ${name}`,
    run: async (client) => {
      const bytes = `GET ${target} HTTP/1.1\r\nHost: ${appHost}\r\nConnection: close\r\n\r\n`;
      expect((await exchangeRaw(client.target, bytes)).status).toBe(status);
    },
  };
}

/** Which function a path leads to, with what parameters; and the one reading of odd paths. */
export const routingCases: readonly Case[] = [
  owner('/', 'root'),
  owner('/?x=1', 'root'),
  owner('/ping', 'pong'),
  owner('/ping/', 'pong'),
  owner('/ping?a=?b', 'pong'),
  route('/nothing', notFound),
  route('/ping/more', notFound),
  route('/PING', notFound),
  route('/ping;v=1', notFound),
  route('/_shared/label', notFound),
  leads('/params/7', 'params/[id]', { id: '7' }),
  leads('/params/7/', 'params/[id]', { id: '7' }),
  leads('/params/a%20b', 'params/[id]', { id: 'a b' }),
  leads('/params/a%2Fb', 'params/[id]', { id: 'a/b' }),
  leads('/params/%C3%BC%E4%B8%96', 'params/[id]', { id: 'ü世' }),
  leads('/params/a+b', 'params/[id]', { id: 'a+b' }),
  leads('/params/%2525', 'params/[id]', { id: '%25' }),
  leads('/params/fixed', 'params/fixed'),
  leads('/params/%66ixed', 'params/fixed'),
  leads('/params/x/inner/y', 'params/[id]/inner/[sub]', { id: 'x', sub: 'y' }),
  leads('/params/fixed/inner/y', 'params/[id]/inner/[sub]', { id: 'fixed', sub: 'y' }),
  route('/params', notFound),
  route('/params/', notFound),
  route('/params/a/b', notFound),
  leads('/files', 'files/[...rest]', { rest: [] }),
  leads('/files/', 'files/[...rest]', { rest: [] }),
  leads('/files/a/b%2Fc/d%20e', 'files/[...rest]', { rest: ['a', 'b/c', 'd e'] }),
  leads('/files/a//b', 'files/[...rest]', { rest: ['a', '', 'b'] }),
  leads('/files/known', 'files/known'),
  leads('/files/known/more', 'files/[...rest]', { rest: ['known', 'more'] }),
  leads('/caf%C3%A9', 'café'),
  leads('/with%20space', 'with space'),
  leads('/dot.ted', 'dot.ted'),
  route('//ping', notFound),
  route('/ping//', notFound),
  route('/params/%zz', badRequest),
  route('/params/%', badRequest),
  route('/params/%ff', badRequest),
  route('/params/%00', badRequest),
  route('/params/../ping', badRequest),
  route('/./ping', badRequest),
  route('/params/%2e%2e/ping', badRequest),
  route('/params/.%2E/ping', badRequest),
  raw('a fragment in the target is refused', '/ping#x', 400),
  raw('a target without a slash is refused', 'ping', 400),
  raw('an absolute target for the same host is read', `http://${appHost}/ping`, 200),
  raw('an absolute target for another host is refused', 'http://other.localhost/ping', 400),
  {
    name: 'routing: two Host headers are refused',
    run: async (client) => {
      const bytes = `GET /ping HTTP/1.1\r\nHost: ${appHost}\r\nHost: ${appHost}\r\nConnection: close\r\n\r\n`;
      expect((await exchangeRaw(client.target, bytes)).status).toBe(400);
    },
  },
  owned('/fetch'),
  owned('/fetch/'),
  owned('/fetch/any/depth?q=1'),
  owned('/fetch/specific/below'),
  owned('/fetch/deep'),
  owned('/fetch/deep/er/below'),
  owner('/fetch/specific', 'the more specific function'),
  owner('/fetch/deep/er', 'deeper'),
  owner('/alone', 'alone'),
  route('/alone/below', notFound),
  owner('/site/page/3', 'page 3'),
  route('/subtree/acme', { json: { path: '/subtree/acme', params: { tenant: 'acme' } } }),
  route('/subtree/acme/deep/path', { json: { path: '/subtree/acme/deep/path', params: { tenant: 'acme' } } }),
  leads('/subtree/acme/admin', 'subtree/[tenant]/admin', { tenant: 'acme' }),
];
