import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMatcher } from '../../../router/match.ts';
import { readTarget, segmentsOf } from '../../../router/target.ts';
import { defaultSettings } from '../../../runtime/contract/settings.ts';
import type { HandlerShape, ManifestFunction } from '../../../runtime/contract/manifest.ts';
import type { ParamValue } from '../../../runtime/contract/handler.ts';

function fn(route: string, options: { shape?: HandlerShape; subtree?: boolean | null } = {}): ManifestFunction {
  const { shape = 'web', subtree = null } = options;
  const settings = { ...defaultSettings, subtree };
  return {
    name: route,
    route,
    source: '',
    bundle: '',
    commonjs: false,
    hash: '',
    bytes: 0,
    settings: {},
    defaults: {},
    inspection: { shape, fallback: null, methods: null, settings, warnings: [] },
  };
}

type Found = [route: string, params: Record<string, ParamValue>] | null;

function find(functions: ManifestFunction[], rawPath: string): Found {
  const read = readTarget(rawPath);
  if (!read.ok) throw new Error(read.reason);
  const match = createMatcher(functions)(read.target);
  return match === null ? null : [match.fn.route, { ...match.params }];
}

const subtree = { shape: 'fetch' } as const;

describe('createMatcher', () => {
  const site = ['/', '/users', '/users/me', '/users/:id', '/users/:id/posts', '/files/*rest', '/files/:name'].map((r) =>
    fn(r),
  );

  test.each<[string, Found]>([
    ['/', ['/', {}]],
    ['/users', ['/users', {}]],
    ['/users/', ['/users', {}]],
    ['/users?x=1', ['/users', {}]],
    ['/users/me', ['/users/me', {}]],
    ['/users/m%65', ['/users/me', {}]],
    ['/users/7', ['/users/:id', { id: '7' }]],
    ['/users/7/', ['/users/:id', { id: '7' }]],
    ['/users/a%20b%2Fc', ['/users/:id', { id: 'a b/c' }]],
    ['/users/me/posts', ['/users/:id/posts', { id: 'me' }]],
    ['/users/:id', ['/users/:id', { id: ':id' }]],
    ['/users/*', ['/users/:id', { id: '*' }]],
    ['/users/:p1', ['/users/:id', { id: ':p1' }]],
    ['/users/me/other', null],
    ['/users//posts', null],
    ['/users//', null],
    ['//', null],
    ['//users', null],
    ['/Users', null],
    ['/files', ['/files/*rest', { rest: [] }]],
    ['/files/', ['/files/*rest', { rest: [] }]],
    ['/files/a', ['/files/:name', { name: 'a' }]],
    ['/files/a/b%2Fc/d', ['/files/*rest', { rest: ['a', 'b/c', 'd'] }]],
    ['/files/https:', ['/files/:name', { name: 'https:' }]],
    ['/files/https://x/', ['/files/*rest', { rest: ['https:', '', 'x'] }]],
    ['/files//', ['/files/*rest', { rest: [''] }]],
    ['/nothing', null],
  ])('finds the function of %s', (path, expected) => {
    expect(find(site, path)).toEqual(expected);
  });

  test('leaves a static branch that leads nowhere for the parameter beside it', () => {
    expect(find([fn('/a/b/c'), fn('/:x/b/d'), fn('/*rest')], '/a/b/d')).toEqual(['/:x/b/d', { x: 'a' }]);
    expect(find([fn('/a/b/c'), fn('/:x/b/d'), fn('/*rest')], '/a/b/e')).toEqual(['/*rest', { rest: ['a', 'b', 'e'] }]);
  });

  test('compares routes from the left when two parameters fit', () => {
    expect(find([fn('/:a/list'), fn('/users/:b')], '/users/list')).toEqual(['/users/:b', { b: 'list' }]);
  });

  test('gives a fetch function everything below it that no other function has', () => {
    const functions = [fn('/', subtree), fn('/api', subtree), fn('/api/users/:id'), fn('/api/raw/*rest')];
    expect(find(functions, '/')).toEqual(['/', {}]);
    expect(find(functions, '/x//y')).toEqual(['/', {}]);
    expect(find(functions, '//')).toEqual(['/', {}]);
    expect(find(functions, '/api/')).toEqual(['/api', {}]);
    expect(find(functions, '/api/users')).toEqual(['/api', {}]);
    expect(find(functions, '/api/users/7')).toEqual(['/api/users/:id', { id: '7' }]);
    expect(find(functions, '/api/users/7/posts')).toEqual(['/api', {}]);
    expect(find(functions, '/api/raw')).toEqual(['/api/raw/*rest', { rest: [] }]);
    expect(find(functions, '/apis')).toEqual(['/', {}]);
  });

  test('prefers a catch-all to the subtree of the function above it', () => {
    const functions = [fn('/a', subtree), fn('/a/*rest')];
    expect(find(functions, '/a')).toEqual(['/a', {}]);
    expect(find(functions, '/a/b')).toEqual(['/a/*rest', { rest: ['b'] }]);
  });

  test('follows the subtree setting when it differs from the shape', () => {
    expect(find([fn('/a', { shape: 'fetch', subtree: false })], '/a/b')).toBeNull();
    expect(find([fn('/t/:id', { shape: 'lambda', subtree: true })], '/t/7/b')).toEqual(['/t/:id', { id: '7' }]);
  });

  test('gives a function that was never loaded its route only', () => {
    const functions = [{ ...fn('/a', subtree), inspection: null }];
    expect(find(functions, '/a')).toEqual(['/a', {}]);
    expect(find(functions, '/a/b')).toBeNull();
  });

  test.each([
    'a.b',
    'a+b',
    '(x|y)',
    'a?',
    '{2}',
    'a{1,}',
    '$',
    '^a',
    '[',
    'a@0',
    '~',
    '%41',
    'café',
    '日本',
    'a b',
    '\\d',
    '__proto__',
  ])('takes the folder name %s as text when it matches', (name) => {
    const functions = [fn(`/${name}`), fn(`/under/${name}/:id`), fn(`/tree/${name}`, subtree)];
    const encoded = encodeURIComponent(name);
    expect(find(functions, `/${encoded}`)).toEqual([`/${name}`, {}]);
    expect(find(functions, `/under/${encoded}/1`)).toEqual([`/under/${name}/:id`, { id: '1' }]);
    expect(find(functions, `/tree/${encoded.toLowerCase()}/x/y`)).toEqual([`/tree/${name}`, {}]);
    expect(find(functions, '/aXb')).toBeNull();
    expect(find(functions, '/under/aab/1')).toBeNull();
    expect(find(functions, '/d')).toBeNull();
  });
});

/** The rule of docs/routing.md, word for word: at each segment static, then parameter, then catch-all, then the subtree's owner. */
function naiveFind(functions: ManifestFunction[], segments: readonly string[]): string | null {
  const routes = functions.map((f) => ({ f, parts: f.route === '/' ? [] : f.route.slice(1).split('/') }));
  const walk = (prefix: string[], i: number): string | null => {
    const here = routes.filter((r) => prefix.every((p, k) => r.parts[k] === p));
    if (i === segments.length) {
      const exact = here.find((r) => r.parts.length === prefix.length);
      if (exact !== undefined) return exact.f.route;
    } else {
      const segment = segments[i] as string;
      if (segment !== '' && here.some((r) => r.parts[prefix.length] === segment)) {
        const found = walk([...prefix, segment], i + 1);
        if (found !== null) return found;
      }
      const param = here.map((r) => r.parts[prefix.length]).find((p) => p?.startsWith(':'));
      if (segment !== '' && param !== undefined) {
        const found = walk([...prefix, param], i + 1);
        if (found !== null) return found;
      }
    }
    const rest = here.find((r) => r.parts.length === prefix.length + 1 && r.parts.at(-1)?.startsWith('*'));
    if (rest !== undefined) return rest.f.route;
    const owner = here.find((r) => r.parts.length === prefix.length && r.f.inspection?.shape === 'fetch');
    return owner?.f.route ?? null;
  };
  return walk([], 0);
}

test('finds what the naive reference finds, for any set of routes and any path', () => {
  const segment = fc.constantFrom('a', 'b', 'c.d', 'é');
  const part = fc.oneof({ weight: 3, arbitrary: segment }, { weight: 2, arbitrary: fc.constant(':x') });
  const route = fc
    .tuple(fc.array(part, { maxLength: 4 }), fc.boolean(), fc.boolean())
    .map(([parts, rest, tree]) => fn(`/${[...parts, ...(rest ? ['*r'] : [])].join('/')}`, tree ? subtree : {}));
  const functions = fc.uniqueArray(route, { selector: (f) => f.route, maxLength: 12 });
  const path = fc
    .array(fc.oneof({ weight: 6, arbitrary: segment }, fc.constantFrom('', 'z', ':x', '*', 'a/b')), { maxLength: 6 })
    .map((parts) => `/${parts.map(encodeURIComponent).join('/')}`);
  fc.assert(
    fc.property(functions, path, (fns, rawPath) => {
      const read = readTarget(rawPath);
      if (!read.ok) throw new Error(read.reason);
      const match = createMatcher(fns)(read.target);
      expect(match?.fn.route ?? null).toBe(naiveFind(fns, segmentsOf(read.target)));
    }),
    { numRuns: 3_000 },
  );
});
