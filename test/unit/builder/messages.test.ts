import { expect, test } from 'vitest';
import { placeOf } from '../../../builder/bundle/messages.ts';
import { nearest } from '../../../builder/nearest.ts';

test('placeOf counts columns from 1 in characters, where esbuild counts bytes from 0', () => {
  const lineText = `const ä = "😀"; import x from './nö';`;
  const column = Buffer.byteLength(lineText.slice(0, lineText.indexOf("'")));
  const location = {
    file: 'a.ts',
    namespace: '',
    line: 3,
    column,
    length: Buffer.byteLength("'./nö'"),
    lineText,
    suggestion: '',
  };
  expect(placeOf({ location })).toEqual({
    file: 'a.ts',
    line: 3,
    column: lineText.indexOf("'") + 1,
    lineText,
    length: 6,
  });
  expect(placeOf({ location: null })).toEqual({});
});

test('nearest finds small slips and no strangers', () => {
  expect(nearest('timeoutMS', ['timeoutMs', 'memoryMb'])).toBe('timeoutMs');
  expect(nearest('methdos', ['methods', 'subtree'])).toBe('methods');
  expect(nearest('path', ['methods', 'subtree', 'handler'])).toBeNull();
  expect(nearest('x', [])).toBeNull();
});
