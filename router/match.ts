import { TrieRouter } from 'hono/router/trie-router';
import type { ManifestFunction } from '../runtime/contract/manifest.ts';
import type { ParamValue } from '../runtime/contract/handler.ts';
import { segmentsOf } from './target.ts';
import type { Target } from './target.ts';

/** The function a path leads to, with the decoded parameters of its route. */
export interface Match {
  fn: ManifestFunction;
  params: Readonly<Record<string, ParamValue>>;
}

/** Finds the function of a target; null when no route fits. */
export type Matcher = (target: Target) => Match | null;

/** How specific a segment is; at the first segment where two routes differ, the lower one wins. */
const rank = { static: 0, param: 1, rest: 2, subtree: 3 } as const;

interface RoutePattern {
  fn: ManifestFunction;
  /** In hono's syntax, with every static segment encoded and every parameter named by its position. */
  path: string;
  ranks: number[];
  /** Name and index of the segment of each parameter. */
  params: { name: string; index: number; rest: boolean }[];
}

// What needs no encoding, on both sides of a comparison. `:`, `*`, `?`, `{` mean something to hono in a pattern.
const safeText = /^[\w.~-]*$/;
const safePath = /^[\w.~/-]*$/;

/**
 * Matches paths against the routes of a release: static beats parameter beats catch-all, segment by
 * segment from the left, and a more specific branch that leads nowhere is left again. A function that
 * owns its subtree takes every path below its route that no other function has.
 *
 * Routes without parameters are found in a Map by the raw path. The others go through hono's TrieRouter:
 * its RegExpRouter refuses a static segment beside a parameter (`/users/me`, `/users/:id`), and needs
 * 5.4 µs a match at 666 dynamic routes where the trie stays at 1.
 */
export function createMatcher(functions: readonly ManifestFunction[]): Matcher {
  const byRawPath = new Map<string, Match>();
  const byCanonicalPath = new Map<string, Match>();
  const dynamic: RoutePattern[] = [];
  for (const fn of functions) {
    const pattern = patternOf(fn);
    if (pattern.params.length === 0) {
      const match = { fn, params: Object.freeze({}) };
      byCanonicalPath.set(pattern.path || '/', match);
      byRawPath.set(pattern.path || '/', match).set(`${pattern.path}/`, match);
    } else {
      dynamic.push(pattern);
    }
    if (ownsSubtree(fn) && pattern.ranks.at(-1) !== rank.rest) dynamic.push(subtreeOf(pattern));
  }
  // TrieRouter returns all that match, in order of registration: the first is the most specific.
  const trie = new TrieRouter<RoutePattern>();
  for (const pattern of dynamic.sort(bySpecificity)) trie.add('ALL', pattern.path, pattern);

  return (target) => {
    const direct = byRawPath.get(target.path);
    if (direct !== undefined) return direct;
    const path = canonicalPath(target);
    const encoded = byCanonicalPath.get(path);
    if (encoded !== undefined) return encoded;
    const pattern = trie.match('ALL', path)[0][0]?.[0];
    return pattern === undefined ? null : { fn: pattern.fn, params: paramsOf(pattern, segmentsOf(target)) };
  };
}

/** Whether a function also answers the paths below its route: its `subtree` setting, else true for a `{ fetch }` export. */
export function ownsSubtree(fn: ManifestFunction): boolean {
  if (fn.inspection === null) return false;
  return fn.inspection.settings.subtree ?? fn.inspection.shape === 'fetch';
}

function patternOf(fn: ManifestFunction): RoutePattern {
  const pattern: RoutePattern = { fn, path: '', ranks: [], params: [] };
  const segments = fn.route === '/' ? [] : fn.route.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    const kind = segment.startsWith(':') ? 'param' : segment.startsWith('*') ? 'rest' : 'static';
    pattern.ranks.push(rank[kind]);
    pattern.path += kind === 'static' ? `/${encodeText(segment)}` : kind === 'param' ? `/:p${index}` : '/*';
    if (kind !== 'static') pattern.params.push({ name: segment.slice(1), index, rest: kind === 'rest' });
  }
  return pattern;
}

function subtreeOf(pattern: RoutePattern): RoutePattern {
  return { ...pattern, path: `${pattern.path}/*`, ranks: [...pattern.ranks, rank.subtree] };
}

function bySpecificity(a: RoutePattern, b: RoutePattern): number {
  for (const [i, left] of a.ranks.entries()) {
    const right = b.ranks[i];
    if (right === undefined) return 1;
    if (left !== right) return left - right;
  }
  return a.ranks.length - b.ranks.length;
}

/**
 * One spelling per list of segments. An empty segment stays empty, which no parameter matches; only `//`
 * needs a spelling of its own, or it would be the root's.
 */
function canonicalPath(target: Target): string {
  if (target.plain && safePath.test(target.path)) {
    return target.path.length > 1 && target.path.endsWith('/') ? target.path.slice(0, -1) : target.path;
  }
  const segments = segmentsOf(target);
  if (segments.length === 1 && segments[0] === '') return '//';
  return `/${segments.map(encodeText).join('/')}`;
}

function encodeText(text: string): string {
  if (safeText.test(text)) return text;
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function paramsOf(pattern: RoutePattern, segments: readonly string[]): Readonly<Record<string, ParamValue>> {
  const params: Record<string, ParamValue> = {};
  for (const { name, index, rest } of pattern.params) {
    params[name] = rest ? segments.slice(index) : (segments[index] as string);
  }
  return params;
}
