import { describe, expect, test } from 'vitest';
import { dispatchMethod } from '../../../router/methods.ts';

describe('dispatchMethod', () => {
  test.each(['GET', 'HEAD', 'OPTIONS', 'POST', 'PROPFIND'])(
    'gives %s to a function that lists no methods',
    (method) => {
      expect(dispatchMethod({ methods: null }, method)).toEqual({ kind: 'handler' });
    },
  );

  test('gives a listed method to the function, HEAD and OPTIONS too', () => {
    const inspection = { methods: ['GET', 'HEAD', 'OPTIONS'] };
    for (const method of inspection.methods) expect(dispatchMethod(inspection, method)).toEqual({ kind: 'handler' });
  });

  test('answers HEAD as GET when GET is listed, else refuses it', () => {
    expect(dispatchMethod({ methods: ['GET'] }, 'HEAD')).toEqual({ kind: 'head' });
    expect(dispatchMethod({ methods: ['POST'] }, 'HEAD')).toEqual({ kind: 'refused', allow: 'OPTIONS, POST' });
  });

  test('answers OPTIONS and refuses the others with all that is allowed', () => {
    const inspection = { methods: ['POST', 'GET'] };
    const allow = 'GET, HEAD, OPTIONS, POST';
    expect(dispatchMethod(inspection, 'OPTIONS')).toEqual({ kind: 'options', allow });
    expect(dispatchMethod(inspection, 'DELETE')).toEqual({ kind: 'refused', allow });
  });
});
