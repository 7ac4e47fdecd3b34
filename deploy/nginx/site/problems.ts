import { problemOf, type ErrorCode } from '../../../runtime/contract/errors.ts';
import { httpLimits } from '../../../runtime/contract/limits.ts';
import { block, directive, type Item } from '../directive.ts';

/** Answers of nginx itself, as problem documents like all others of the platform. */
export function problemItems(): Item[] {
  return [
    directive(
      'error_page',
      ['502', '=', '@fnrun_down'],
      "nginx's own errors only: those of the app go through as they are. An app that is away for a moment is 503 with Retry-After",
    ),
    directive('error_page', ['504', '=', '@fnrun_late']),
    directive('error_page', ['413', '=', '@fnrun_too_large']),
    directive('error_page', ['429', '=', '@fnrun_too_many']),
    problem('@fnrun_down', 'FN_APP_UNREACHABLE', [
      block('if', {
        words: ['($fnrun_is_down)'],
        items: [retryAfter(), ...common(), directive('return', ['503', text('FN_APP_UNAVAILABLE')])],
      }),
    ]),
    problem('@fnrun_late', 'FN_TIMEOUT'),
    problem('@fnrun_too_large', 'FN_BODY_TOO_LARGE'),
    problem('@fnrun_too_many', 'FN_TOO_MANY_REQUESTS', [retryAfter()]),
  ];
}

function problem(name: string, code: ErrorCode, before: readonly Item[] = []): Item {
  const { status } = problemOf(code);
  return block('location', {
    words: [name],
    items: [
      // What the app's types say of the name that was asked for does not count.
      block('types', { items: [] }),
      directive('default_type', ['application/problem+json']),
      ...common(),
      ...before,
      directive('return', [String(status), text(code)]),
    ],
  });
}

function retryAfter(): Item {
  return directive('add_header', ['Retry-After', String(httpLimits.retryAfterSeconds), 'always']);
}

/** In each block again: nginx inherits headers only where none is added. */
function common(): Item[] {
  return [
    directive('add_header', ['Cache-Control', 'no-store', 'always']),
    directive('add_header', ['X-Request-Id', '$fnrun_request_id', 'always']),
  ];
}

/** `$fnrun_request_id` is made of letters, digits, `_`, `.` and `-` alone. */
function text(code: ErrorCode): string {
  return JSON.stringify(problemOf(code, { requestId: '$fnrun_request_id' }));
}
