import { expect, test } from 'vitest';
import { checkSettings, mergeSettings } from '../../../../runtime/contract/settings.ts';

test('checkSettings accepts every setting with a fitting value', () => {
  const all = {
    methods: ['GET'],
    timeoutMs: 1,
    memoryMb: 16,
    concurrency: 1,
    minWorkers: 0,
    maxWorkers: 1,
    subtree: true,
    handler: 'h',
    payload: '1.0',
    maxBodyBytes: 0,
    maxMessageBytes: 1,
    socketIdleMs: 1000,
    origins: ['https://a.example', 'http://b.example:8080', '*'],
  };
  expect(checkSettings(all)).toEqual([]);
});

test.each([
  [{ timeoutMs: 0 }, 'timeoutMs must be a whole number from 1 to 900000 (ms): it is 0'],
  [{ timeoutMs: 1.5 }, 'timeoutMs must be a whole number from 1 to 900000 (ms): it is 1.5'],
  [{ memoryMb: '128' }, 'memoryMb must be a whole number from 16 to 4096 (MB): it is "128"'],
  [{ methods: [] }, 'methods must be a list of HTTP methods such as ["GET", "POST"]: it is []'],
  [{ methods: ['G T'] }, 'methods must be a list of HTTP methods such as ["GET", "POST"]: it is ["G T"]'],
  [{ subtree: 'yes' }, 'subtree must be true or false: it is "yes"'],
  [{ payload: '3.0' }, 'payload must be "1.0" or "2.0": it is "3.0"'],
  [{ minWorkers: 3, maxWorkers: 2 }, 'minWorkers must not be above maxWorkers (2): it is 3'],
  [
    { origins: 'https://a.example' },
    'origins must be a list of origins such as ["https://example.org"]: it is "https://a.example"',
  ],
  [
    { origins: ['https://a.example/'] },
    'origins must be a list of origins such as ["https://example.org"]: it is ["https://a.example/"]',
  ],
  [
    { origins: ['a.example'] },
    'origins must be a list of origins such as ["https://example.org"]: it is ["a.example"]',
  ],
  [{ socketIdleMs: 0 }, 'socketIdleMs must be a whole number from 1000 to 86400000 (ms): it is 0'],
  [[], 'config must be an object: it is []'],
])('checkSettings says what is wrong with %j', (input, message) => {
  expect(checkSettings(input)).toMatchObject([{ kind: 'bad-value', message }]);
});

test('checkSettings lists a key it does not know as such', () => {
  expect(checkSettings({ maxDuration: 3 })).toMatchObject([{ kind: 'unknown-key', key: 'maxDuration' }]);
});

test('mergeSettings lets the later layer win and writes methods in upper case', () => {
  expect(mergeSettings({ timeoutMs: 1, methods: ['get'] }, { timeoutMs: 2 })).toMatchObject({
    timeoutMs: 2,
    methods: ['GET'],
    memoryMb: 128,
  });
});
