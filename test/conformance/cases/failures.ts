import { expect } from 'vitest';
import type { ErrorCode } from '../../../runtime/contract/errors.ts';
import { get, type Case } from '../case.ts';

function failing(kind: string, problem: ErrorCode): Case {
  return get(`failure: ${kind}`, `/failing?kind=${kind}`, { problem });
}

/** Fails unless the response is cut off, or is refused as a whole. */
function brokenOff(name: string, path: string): Case {
  return {
    name,
    run: async ({ request }) => {
      const answer = await request({ path }).catch((error: NodeJS.ErrnoException) => error);
      if (answer instanceof Error) expect(answer.message).toMatch(/aborted|socket hang up|ECONNRESET|terminated/);
      else expect(answer.status).toBe(502);
    },
  };
}

/** Handlers that throw, and results that are no response: 502, and nothing of the code told. */
export const failureCases: readonly Case[] = [
  failing('throw', 'FN_HANDLER_FAILED'),
  failing('reject', 'FN_HANDLER_FAILED'),
  failing('throw-string', 'FN_HANDLER_FAILED'),
  failing('throw-null', 'FN_HANDLER_FAILED'),
  failing('throw-frame', 'FN_HANDLER_FAILED'),
  failing('throw-revoked', 'FN_HANDLER_FAILED'),
  failing('throw-getters', 'FN_HANDLER_FAILED'),
  failing('throw-symbol', 'FN_HANDLER_FAILED'),
  failing('undefined', 'FN_BAD_RESPONSE'),
  failing('null', 'FN_BAD_RESPONSE'),
  failing('string', 'FN_BAD_RESPONSE'),
  failing('object', 'FN_BAD_RESPONSE'),
  failing('error-response', 'FN_BAD_RESPONSE'),
  failing('used-body', 'FN_BAD_RESPONSE'),
  failing('locked-body', 'FN_BAD_RESPONSE'),
  failing('almost-a-response', 'FN_BAD_RESPONSE'),
  brokenOff('failure: a stream that errors is cut off, not ended', '/failing?kind=stream-error'),
  brokenOff('failure: a stream of what is no bytes is cut off or refused', '/failing?kind=stream-of-strings'),
  {
    name: 'failure: HEAD gets the status without a body',
    request: { method: 'HEAD', path: '/failing?kind=throw' },
    expect: { status: 502, text: '' },
  },
  {
    name: 'failure: dev tells the stack in the terms of the source, production does not',
    run: async ({ request, way }) => {
      const problem = (await request({ path: '/failing?kind=throw' })).json();
      if (way === 'dev') expect(problem.stack).toMatch(/functions\/failing\/index\.ts:4:\d+/);
      else expect(problem).not.toHaveProperty('stack');
    },
  },
  {
    name: 'failure: the function goes on serving after one',
    run: async ({ request }) => {
      for (const status of [502, 502, 502]) {
        expect((await request({ path: '/failing?kind=reject' })).status).toBe(status);
      }
    },
  },
];
