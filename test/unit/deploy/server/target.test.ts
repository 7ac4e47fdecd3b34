import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../../../deploy/server/target.ts';

describe('the TARGET of a setup', () => {
  it.each([
    ['root@203.0.113.7', { destination: 'root@203.0.113.7', port: null }],
    ['admin@host.example:2222', { destination: 'admin@host.example', port: 2222 }],
    ['shop', { destination: 'shop', port: null }],
    ['root@[2001:db8::7]:22', { destination: 'root@2001:db8::7', port: 22 }],
    ['local', 'local'],
  ])('%s is read', (text, target) => {
    expect(parseTarget(text)).toEqual(target);
  });

  it.each([
    '',
    '-oProxyCommand=x',
    'root@-oX',
    'a@b@c',
    'host:0',
    'host:70000',
    'host:22:22',
    'ho st',
    'ssh://host',
    'a/b',
  ])('%j is refused', (text) => {
    expect(() => parseTarget(text)).toThrow(expect.objectContaining({ code: 'FN_USAGE' }));
  });
});
