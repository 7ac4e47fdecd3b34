import { expect } from 'vitest';
import { get, type Case } from '../case.ts';

/** The files of public/. */
export const staticCases: readonly Case[] = [
  get('static: a file with its type, length and validators', '/style.css', {
    text: 'body {\n  margin: 0;\n}\n',
    headers: { 'content-type': /^text\/css/, 'content-length': '22', etag: /./, 'cache-control': /./ },
  }),
  get('static: a binary file', '/image.png', {
    bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0xff],
    headers: { 'content-type': 'image/png' },
  }),
  {
    name: 'static: HEAD',
    request: { method: 'HEAD', path: '/digits.txt' },
    expect: { text: '', headers: { 'content-length': '10' } },
  },
  {
    name: 'static: 304 to its own ETag',
    run: async ({ request }) => {
      const { etag = '' } = (await request({ path: '/digits.txt' })).headers;
      const again = await request({ path: '/digits.txt', headers: [['if-none-match', etag]] });
      expect([again.status, again.text]).toEqual([304, '']);
    },
  },
  {
    name: 'static: Range',
    request: { path: '/digits.txt', headers: [['range', 'bytes=2-4']] },
    expect: { status: 206, text: '234', headers: { 'content-range': 'bytes 2-4/10' } },
  },
  {
    name: 'static: a suffix Range',
    request: { path: '/digits.txt', headers: [['range', 'bytes=7-']] },
    expect: { status: 206, text: '789' },
  },
  {
    name: 'static: a Range beyond the end',
    request: { path: '/digits.txt', headers: [['range', 'bytes=99-']] },
    expect: { status: 416 },
  },
  get('static: a clean URL', '/about', {
    text: '<!doctype html><title>about</title>\n',
    headers: { 'content-type': /^text\/html/ },
  }),
  get("static: a folder's index", '/docs/', { text: '<!doctype html><title>docs</title>\n' }),
  get("static: a folder's index without the slash", '/docs', { text: '<!doctype html><title>docs</title>\n' }),
  get('static: an encoded name', '/with%20blank.txt', { text: 'spaced' }),
  get('static: the query does not matter', '/digits.txt?v=2', { text: '0123456789' }),
  get('static: dot files are not served', '/.secret', { problem: 'FN_NOT_FOUND' }),
  get('static: .well-known is', '/.well-known/security.txt', { text: 'contact' }),
  get('static: a file comes before a function', '/shadowed', { text: '<!doctype html><title>shadow</title>\n' }),
  {
    name: 'static: other methods go to the function behind a file',
    request: { method: 'POST', path: '/shadowed' },
    expect: { text: 'the function, POST' },
  },
  get('static: nothing outside public/', '/..%2ffnrun.json', { problem: 'FN_NOT_FOUND' }),
  {
    name: 'static: POST is no way to read a file',
    run: async ({ request }) => {
      expect([404, 405]).toContain((await request({ method: 'POST', path: '/digits.txt' })).status);
    },
  },
];
