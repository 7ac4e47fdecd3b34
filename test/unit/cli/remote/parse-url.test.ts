import { expect, test } from 'vitest';
import { parseSshUrl } from '../../../../cli/remote/parse-url.ts';

test.each([
  ['ssh://fnrun@example.org/shop', 'fnrun@example.org', null, 'shop'],
  ['ssh://fnrun@example.org:2222/shop.git', 'fnrun@example.org', '2222', 'shop'],
  ['ssh://example.org/shop', 'example.org', null, 'shop'],
  ['git+ssh://fnrun@example.org/shop', 'fnrun@example.org', null, 'shop'],
  ['ssh://fnrun@[::1]:22/shop', 'fnrun@::1', '22', 'shop'],
  ['fnrun@example.org:shop', 'fnrun@example.org', null, 'shop'],
  ['fnrun@example.org:/shop.git', 'fnrun@example.org', null, 'shop'],
  ['myserver:shop', 'myserver', null, 'shop'],
  ['fnrun@[::1]:shop', 'fnrun@::1', null, 'shop'],
])('parseSshUrl reads %s', (url, destination, port, app) => {
  expect(parseSshUrl(url)).toEqual({ destination, port, app });
});

test.each([
  'git@github.com:someone/shop.git',
  'ssh://git@github.com/someone/shop.git',
  'https://example.org/shop',
  '/var/lib/fnrun/apps/shop/repo.git',
  './shop',
  '../shop',
  'file:///shop',
  'C:shop',
  'ssh://-oProxyCommand=sh/shop',
  'ssh://fnrun@-oProxyCommand=sh/shop',
  '-oProxyCommand=sh:shop',
  'ssh://fnrun@example.org/../shop',
  'ssh://fnrun@example.org/',
  'ssh://fnrun@exa mple.org/shop',
  'fnrun@example.org:../shop',
  'fnrun@example.org:',
])('parseSshUrl takes %s for no app over ssh', (url) => {
  expect(parseSshUrl(url)).toBeNull();
});
