import { directive, type Item } from '../directive.ts';
import type { NginxFacts } from '../facts.ts';

/** Text by what it is called today; images, fonts and archives are compressed already. text/html is always in. */
const compressible = [
  'application/atom+xml',
  'application/javascript',
  'application/json',
  'application/ld+json',
  'application/manifest+json',
  'application/problem+json',
  'application/rss+xml',
  'application/vnd.ms-fontobject',
  'application/wasm',
  'application/xhtml+xml',
  'application/xml',
  'font/otf',
  'font/ttf',
  'image/svg+xml',
  'image/vnd.microsoft.icon',
  'text/calendar',
  'text/css',
  'text/csv',
  'text/javascript',
  'text/markdown',
  'text/plain',
  'text/vtt',
  'text/xml',
  'text/yaml',
];

/** Compression. Never of text/event-stream: gzip would hold events back. */
export function compressionItems({ build }: NginxFacts): Item[] {
  return [
    { title: '--- Compression ---' },
    directive('gzip', ['on']),
    directive('gzip_comp_level', ['5'], 'above it text gets 1 % smaller for twice the time'),
    directive('gzip_min_length', ['256'], 'less fits into one packet anyway'),
    directive('gzip_proxied', ['any'], 'for clients behind a proxy, too; gzip_vary keeps caches right'),
    directive('gzip_vary', ['on'], 'a cache must not give compressed bytes to whoever cannot read them'),
    directive('gzip_types', compressible, 'what gains; text/event-stream is not here, gzip would hold events back'),
    build.gzipStatic
      ? directive('gzip_static', ['on'], 'a file of public/ that has a .gz beside it is not compressed again')
      : { leftOut: 'gzip_static', reason: 'this nginx is built without it' },
    { leftOut: 'brotli', reason: 'no part of nginx: a module to be chosen and updated by whoever installs it' },
  ];
}
