import type { FunctionInspection } from '../runtime/contract/manifest.ts';

/** What to do with a method. `allow` is the value of the Allow header. */
export type MethodDispatch =
  /** Invoke the function with the method as it is. */
  | { kind: 'handler' }
  /** Invoke the function as for GET and send its head only. */
  | { kind: 'head' }
  /** Answer 204 with Allow, without an invocation. */
  | { kind: 'options'; allow: string }
  /** Answer 405 with Allow. */
  | { kind: 'refused'; allow: string };

/** The part of an inspection that method dispatch reads. */
export type MethodFacts = Pick<FunctionInspection, 'methods'>;

const handler: MethodDispatch = { kind: 'handler' };
const head: MethodDispatch = { kind: 'head' };

/** The Allow header of whoever answers every method but TRACE and CONNECT. */
export const everyMethod = 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT';

// No Request of the Fetch standard can be a TRACE, and nginx refuses it too.
const traceRefused: MethodDispatch = { kind: 'refused', allow: everyMethod };

interface Answers {
  options: MethodDispatch;
  refused: MethodDispatch;
}

const answersOf = new WeakMap<MethodFacts, Answers>();

/**
 * Who answers `method` (upper case). A function without a list of methods gets every one but TRACE, HEAD and
 * OPTIONS too; one with a list gets those, and the platform answers HEAD (where GET is listed) and OPTIONS.
 */
export function dispatchMethod(inspection: MethodFacts, method: string): MethodDispatch {
  const { methods } = inspection;
  if (methods === null) return method === 'TRACE' ? traceRefused : handler;
  if (methods.includes(method)) return handler;
  if (method === 'HEAD' && methods.includes('GET')) return head;
  let answers = answersOf.get(inspection);
  if (answers === undefined) {
    const allow = allowOf(methods);
    answers = { options: { kind: 'options', allow }, refused: { kind: 'refused', allow } };
    answersOf.set(inspection, answers);
  }
  return method === 'OPTIONS' ? answers.options : answers.refused;
}

/** The Allow header of a function that answers `methods`, what the platform adds included. */
export function allowOf(methods: readonly string[]): string {
  const all = new Set(methods);
  if (all.has('GET')) all.add('HEAD');
  all.add('OPTIONS');
  return [...all].sort().join(', ');
}
