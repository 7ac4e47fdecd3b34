/** The route that a function's folder path means, or why it means none. */
export type RouteReading =
  /** `pattern` is equal for two routes that match the same paths: parameters have no names in it. */
  { ok: true; route: string; pattern: string } | { ok: false; message: string; hint: string };

const parameterName = /^[A-Za-z_][A-Za-z0-9_-]*$/;
// `then` would make ctx.params look like a promise of the user's, and __proto__ is no plain key.
const reservedNames = new Set(['then', '__proto__']);
// A folder name is decoded text: these would be read as an escape, a query, a fragment or a separator by someone.
// oxlint-disable-next-line no-control-regex
const badCharacter = /[\u0000-\u001f\u007f%?#\\]/;

/** Reads a function's folder path (`users/[id]` as its segments) as a route: `/users/:id`, `/files/*rest`, `/`. */
export function readRoute(segments: readonly string[]): RouteReading {
  const route: string[] = [];
  const pattern: string[] = [];
  const names = new Set<string>();
  for (const [index, segment] of segments.entries()) {
    const parameter = /^\[(\.\.\.)?([^[\]]*)\]$/.exec(segment);
    if (parameter === null) {
      const wrong = wrongStatic(segment);
      if (wrong !== null) return wrong;
      route.push(segment);
      pattern.push(`=${segment}`);
      continue;
    }
    const [, rest, name = ''] = parameter;
    if (!parameterName.test(name) || reservedNames.has(name)) {
      return bad(`"${segment}" names no parameter`, 'use a name such as [id]: a letter, then letters, digits, _ or -');
    }
    if (names.has(name))
      return bad(`the parameter "${name}" occurs twice`, 'give each parameter of a route its own name');
    if (rest !== undefined && index < segments.length - 1) {
      return bad(
        `"${segment}" is not the last segment`,
        'a catch-all takes the rest of the path: put nothing below it',
      );
    }
    names.add(name);
    route.push(rest === undefined ? `:${name}` : `*${name}`);
    pattern.push(rest === undefined ? ':' : '*');
  }
  return { ok: true, route: `/${route.join('/')}`, pattern: `/${pattern.join('/')}` };
}

function wrongStatic(segment: string): RouteReading | null {
  if (/^\[\[\.\.\.[^[\]]*\]\]$/.test(segment)) {
    return bad(`"${segment}" is no route segment`, 'name it [...rest]: a catch-all matches the empty rest too');
  }
  if (/[[\]]/.test(segment)) {
    return bad(`"${segment}" is no route segment`, 'brackets stand around a whole segment: [id] or [...rest]');
  }
  if (segment.startsWith(':') || segment.startsWith('*')) {
    return bad(
      `"${segment}" is no route segment`,
      `a parameter is written in brackets: [${segment.slice(1) || 'name'}]`,
    );
  }
  if (badCharacter.test(segment)) {
    return bad(
      `${JSON.stringify(segment)} is no route segment`,
      'write folder names as decoded text, without %, ?, #, \\ or control characters',
    );
  }
  return null;
}

function bad(message: string, hint: string): RouteReading {
  return { ok: false, message, hint };
}
