import { expect, test } from 'vitest';
import { renderFile, renderWord } from '../../../../deploy/nginx/render-config.ts';
import { nameApps, previewNames } from '../../../../deploy/nginx/site/names.ts';
import { planSite } from '../../../../deploy/nginx/site/site.ts';
import { parseBuild } from '../../../../deploy/nginx/version.ts';
import { factsOf, siteFacts } from './facts.ts';

test('a word is written as nginx reads it back', () => {
  expect(renderWord('$host')).toBe('$host');
  expect(renderWord('')).toBe('""');
  expect(renderWord('a b')).toBe('"a b"');
  expect(renderWord({ text: '/srv/my "apps"; # x' })).toBe(`'/srv/my "apps"; # x'`);
  expect(renderWord({ text: `/a "b" 'c'\\` })).toBe(String.raw`"/a \"b\" 'c'\\"`);
});

test.each(['/srv/$home', '/a\nuser root;', '/a\0b', '/a\tb'])('%j is refused: no quoting makes it safe', (text) => {
  expect(() => renderWord({ text })).toThrow(expect.objectContaining({ code: 'FN_USAGE' }));
});

test('whatever a reason holds, it stays in its comment', () => {
  const text = renderFile({ items: [{ leftOut: 'x\nuser root;', reason: 'y\r\u2028daemon off;' }] });
  expect(text.split(/[\n\r\u2028]/).every((line) => line === '' || line.startsWith('#'))).toBe(true);
});

test('a path with blanks and quotes reaches every directive that names it', () => {
  const text = renderFile(planSite(factsOf(), siteFacts({ run: '/srv/my apps/run', apps: '/srv/my apps/apps' })));
  expect(text).toContain('server "unix:/srv/my apps/run/shop.sock";');
  expect(text).toContain('root "/srv/my apps/apps/shop/live";');
  expect(text).toContain('proxy_pass "http://unix:/srv/my apps/run/$fnrun_preview.sock";');
  expect(() => planSite(factsOf(), siteFacts({ run: '/srv/a:b/run' }))).toThrow('colon');
});

test('names are the domains of an app and its own below each domain; of two apps that ask for one the first has it', () => {
  const apps = [
    { app: 'shop', domains: ['Shop.example', 'blog.example.com'] },
    { app: 'blog', domains: ['shop.example'] },
  ];
  expect(nameApps(apps, { domains: ['example.com', 'example.net'] })).toEqual([
    {
      app: 'shop',
      names: ['shop.example', 'shop.example.com', 'shop.example.net'],
      taken: ['blog.example.com'],
    },
    { app: 'blog', names: ['blog.example.com', 'blog.example.net'], taken: ['shop.example'] },
  ]);
  expect(nameApps(apps, { domains: [] })[1]!.names).toEqual(['blog.*']);
});

test.each(['a b.example', 'x;y', '-a.example', 'a..b', '*.example', ''])('%j is no host name', (name) => {
  expect(() => nameApps([{ app: 'shop', domains: [name] }], { domains: [] })).toThrow('is no host name');
});

test('a preview is told by its name, which can be nothing but a name', () => {
  const [pattern] = previewNames({ app: 'shop', previewDomains: ['example.com'] });
  const regex = new RegExp(pattern!.slice(1).replace('?<fnrun_preview>', '?<preview>'));
  expect(regex.exec('new-look--shop.example.com')?.groups).toEqual({ preview: 'new-look--shop' });
  for (const host of [
    '../x--shop.example.com',
    'a--shopx.example.com',
    'a--shop.exampleXcom',
    'a--shop.example.com.evil',
  ])
    expect(regex.test(host)).toBe(false);
});

test('what nginx -V says is read', () => {
  const text = `nginx version: nginx/1.24.0 (Ubuntu)
built with OpenSSL 3.0.13 30 Jan 2024 (running with OpenSSL 3.5.1 1 Jul 2026)
configure arguments: --modules-path=/usr/lib/nginx/modules --with-http_v2_module`;
  expect(parseBuild(text)).toEqual({
    version: '1.24.0',
    openssl: '3.5.1',
    http2: true,
    gzipStatic: false,
    modulesPath: '/usr/lib/nginx/modules',
  });
  expect(parseBuild('Apache/2.4')).toBeNull();
});
