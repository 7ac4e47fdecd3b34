import { expect, test } from 'vitest';
import { configText } from '../../../../deploy/server/steps/app-users.ts';

const none = { domain: null };

test('config.json gets a range of users beside what the operator has written, once', () => {
  const range = { first: 70_000, count: 1000 };
  expect(JSON.parse(configText(null, none))).toEqual({ appUsers: range });
  const first = configText('{"releasesKept": 20}', none);
  expect(JSON.parse(first)).toEqual({ releasesKept: 20, appUsers: range });
  expect(configText(first, none)).toBe(first);
  // The operator's own range, and the operator's own way to write it.
  const own = '{"appUsers":{"first":80000}}';
  expect(configText(own, none)).toBe(own);
});

test('config.json has the domain that setup was asked for, until it is asked for none', () => {
  const asked = { domain: 'apps.example.no' };
  const text = configText('{"appUsers":{"first":80000}}', asked);
  expect(JSON.parse(text)).toEqual({ domain: 'apps.example.no', appUsers: { first: 80_000 } });
  expect(configText(text, asked)).toBe(text);
  expect(JSON.parse(configText(text, none))).toEqual({ appUsers: { first: 80_000 } });
});

test.each(['', '{"a":1,}', '[]', 'null'])(
  'a config.json that no server starts with is left alone, and told (%j)',
  (text) => {
    expect(() => configText(text, none)).toThrow('Cannot read /var/lib/fnrun/config.json of the server');
  },
);
