import { expect } from 'vitest';
import type { Outcome, Saw } from './case.ts';
import type { WireResponse } from './parse-responses.ts';

type Headers = NonNullable<Saw['headers']>;

/** Asserts that a conversation went as it should. */
export function checkOutcome(
  observed: { answers: WireResponse[]; then: Outcome['then']; rest: string; seen: string[] },
  expected: Outcome,
): void {
  const last = observed.answers.at(-1);
  const { answers, then } = expected;
  const statuses = observed.answers.map(({ status }) => status);
  // Requests of one connection may be worked on at once: only the answers have an order.
  const optional = expected.seen.includes(expected.mayHaveSeen ?? '') ? undefined : expected.mayHaveSeen;
  const seen = observed.seen.filter((line) => line !== optional).sort();
  const brief = { answers: statuses, then: observed.then, seen };
  expect(brief, `${JSON.stringify(brief)}; the last answer: ${JSON.stringify(last)?.slice(0, 1_000)}`).toEqual({
    answers: answers instanceof RegExp ? expect.toSatisfy((list) => answers.test(list.join(' '))) : answers,
    then: then === 'any' ? expect.stringMatching(/^(kept|closed)$/) : then,
    seen: [...expected.seen].sort(),
  });
  expect(observed.rest).toMatch(expected.cut ?? /^$/);
  if (last === undefined) return;
  if (last.headers['content-type'] === 'application/problem+json') {
    if (last.body !== '') {
      const problem = JSON.parse(last.body);
      if (expected.code !== undefined) expect(problem.code).toBe(expected.code);
      expect(problem.requestId).toBe(last.headers['x-request-id']);
    }
  }
  if (expected.headers !== undefined) checkHeaders(last.headers, expected.headers);
  if (typeof expected.body === 'string') expect(last.body).toBe(expected.body);
  else if (expected.body !== undefined) expect(last.body).toMatch(expected.body);
  if (expected.saw !== undefined) {
    const { headers, ...rest } = expected.saw;
    const saw = JSON.parse(Buffer.from(last.body, 'latin1').toString());
    expect(saw).toMatchObject(rest);
    if (headers !== undefined) checkHeaders(saw.headers, headers);
  }
}

function checkHeaders(headers: Record<string, string>, expected: Headers): void {
  for (const [name, wanted] of Object.entries(expected)) {
    if (wanted === null) expect(headers, name).not.toHaveProperty([name]);
    else if (typeof wanted === 'string') expect(headers[name], name).toBe(wanted);
    else expect(headers[name], name).toMatch(wanted);
  }
}
