import { expect, test } from 'vitest';
import { configText } from '../../../../deploy/server/steps/app-users.ts';

test('config.json gets a range of users beside what the operator has written, once', () => {
  const range = { first: 70_000, count: 1000 };
  expect(JSON.parse(configText(null))).toEqual({ appUsers: range });
  const first = configText('{"releasesKept": 20}');
  expect(JSON.parse(first)).toEqual({ releasesKept: 20, appUsers: range });
  expect(configText(first)).toBe(first);
  // The operator's own range, and the operator's own way to write it.
  const own = '{"appUsers":{"first":80000}}';
  expect(configText(own)).toBe(own);
});

test.each(['', '{"a":1,}', '[]', 'null'])(
  'a config.json that no server starts with is left alone, and told (%j)',
  (text) => {
    expect(() => configText(text)).toThrow('Cannot read /var/lib/fnrun/config.json of the server');
  },
);
