import { expect } from 'vitest';
import { errorCatalogue } from '../../runtime/contract/errors.ts';
import type { HttpResponse } from '../support/http.ts';
import type { Expectation, Way } from './case.ts';

/** What no response may hold outside dev: messages, stacks and paths of the fixtures. */
const telltale = /secret-in-a-message|\n\s+at |node_modules|releases\//;

/** Asserts that `response` is as expected. */
export function checkResponse(response: HttpResponse, expectation: Expectation, way: Way): void {
  const { problem } = expectation;
  const status = expectation.status ?? (problem === undefined ? 200 : errorCatalogue[problem].status);
  expect(response.status, `status; the body: ${response.text.slice(0, 1_000)}`).toBe(status);
  if (problem !== undefined) checkProblem(response, problem, way);
  checkHeaders(response, expectation);
  if (expectation.text !== undefined) expect(response.text).toBe(expectation.text);
  if (expectation.bytes !== undefined) expect([...response.body]).toEqual([...expectation.bytes]);
  if ('json' in expectation) expect(response.json()).toEqual(expectation.json);
  if (expectation.jsonLike !== undefined) expect(response.json()).toMatchObject(expectation.jsonLike);
}

function checkHeaders(response: HttpResponse, { headers = {}, cookies, allow }: Expectation): void {
  for (const [name, wanted] of Object.entries(headers)) {
    const value = response.headers[name];
    if (wanted === null) expect(value, name).toBeUndefined();
    else if (typeof wanted === 'string') expect(value, name).toBe(wanted);
    else expect(value, name).toMatch(wanted);
  }
  if (cookies !== undefined) {
    const sent = response.headerList.filter(([name]) => name === 'set-cookie').map(([, value]) => value);
    expect(sent).toEqual(cookies);
  }
  if (allow !== undefined) {
    const named = (response.headers['allow'] ?? '').split(/\s*,\s*/);
    expect(named.toSorted()).toEqual([...allow].toSorted());
  }
  const ids = response.headerList.filter(([name]) => name === 'x-request-id');
  expect(ids.length, 'x-request-id').toBe(1);
}

function checkProblem(response: HttpResponse, code: string, way: Way): void {
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json\b/);
  expect(response.json()).toMatchObject({ code, status: response.status, title: expect.any(String) });
  expect(response.json().requestId).toBe(response.headers['x-request-id']);
  if (way === 'dev') return;
  expect(response.json()).not.toHaveProperty('stack');
  expect(response.text).not.toMatch(telltale);
}
