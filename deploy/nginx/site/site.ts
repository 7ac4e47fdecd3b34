import { staticCacheControl } from '../../../router/static.ts';
import { FnrunError } from '../../../runtime/contract/errors.ts';
import { httpLimits, nginxLimits } from '../../../runtime/contract/limits.ts';
import { block, directive, type Directive, type Item, type NginxFile, type Word } from '../directive.ts';
import type { Certificate, NginxFacts, SiteFacts } from '../facts.ts';
import { listen } from '../listen.ts';
import { seconds } from '../main/process.ts';
import { previewNames } from './names.ts';
import { problemItems } from './problems.ts';
import { rateItems, rateZones } from './rates.ts';

/** How requests for some host names come to what answers them. */
interface Way {
  names: readonly Word[];
  /** What the log calls it. */
  label: string;
  /** For proxy_pass: never with a path behind it, with which nginx would decode the target. */
  to: Word;
  /** Folder of the live release. */
  live: Word;
}

/** The file of one app: its upstream, the server of its host names, and the one of its previews. */
export function planSite(facts: NginxFacts, site: SiteFacts): NginxFile {
  const { app, run, apps } = site;
  if (run.includes(':')) {
    throw new FnrunError('FN_USAGE', `nginx cannot reach sockets in ${JSON.stringify(run)}: it has a colon`, {
      hint: 'choose a home without it',
    });
  }
  const own: Way = {
    names: site.names.map((text) => ({ text })),
    label: app,
    to: `http://fnrun_${app}`,
    live: { text: `${apps}/${app}/live` },
  };
  const previews: Way = {
    names: previewNames(site),
    label: '$fnrun_preview',
    to: { text: `http://unix:${run}/`, tail: '$fnrun_preview.sock' },
    live: { text: `${apps}/`, tail: '$fnrun_preview/live' },
  };
  const items: Item[] = [
    upstream(site),
    ...rateZones(site),
    ...site.taken.map((name) => ({ leftOut: name, reason: 'another app has this name' })),
    ...(own.names.length === 0 ? [] : servers(own, { facts, site })),
    ...(site.previews ?? []).flatMap(({ name, host }) => servers(previewOf(site, { name, host }), { facts, site })),
    ...(previews.names.length === 0
      ? []
      : [
          { title: '--- Previews: a socket of their own each, and no kept connections: there is no list of them ---' },
          ...servers(previews, { facts, site }),
        ]),
  ];
  return { name: `fnrun/${app}.conf`, items };
}

/** One whose host name has a certificate. */
function previewOf({ run, apps }: SiteFacts, { name, host }: { name: string; host: string }): Way {
  return {
    names: [{ text: host }],
    label: name,
    to: { text: `http://unix:${run}/${name}.sock` },
    live: { text: `${apps}/${name}/live` },
  };
}

function upstream({ app, run }: SiteFacts): Item {
  return block('upstream', {
    words: [`fnrun_${app}`],
    items: [
      directive('server', [{ text: `unix:${run}/${app}.sock` }]),
      directive(
        'keepalive',
        [String(nginxLimits.keepAlive)],
        'connections that each process keeps open: three times the requests of one connection each',
      ),
      directive(
        'keepalive_timeout',
        [seconds(nginxLimits.keepAliveMs)],
        `shorter than the app host's ${seconds(httpLimits.keepAliveTimeoutMs)}: with Node's own 5 s nginx meets closed connections, and a POST then gets 502`,
      ),
      directive('keepalive_requests', ['10000'], 'nothing leaks here; the default of 1000 reconnects under load'),
    ],
  });
}

interface Where {
  facts: NginxFacts;
  site: SiteFacts;
}

function servers(way: Way, { facts, site }: Where): Item[] {
  const name = directive('server_name', way.names);
  const { tls } = facts;
  if (tls === null)
    return [block('server', { items: [...listen(facts, { tls: false }), name, ...serving(way, site)] })];
  return [
    block('server', {
      items: [
        ...listen(facts, { tls: false }),
        name,
        block('location', {
          words: ['^~', '/.well-known/acme-challenge/'],
          reason: 'certificates are got and renewed by it',
          items: [directive('root', [{ text: facts.places.acme }]), directive('default_type', ['text/plain'])],
        }),
        block('location', {
          words: ['/'],
          items: [
            directive('return', ['308', 'https://$host$request_uri'], 'keeps method and body, where 301 makes a GET'),
          ],
        }),
      ],
    }),
    ...byCertificate(way.names, { own: site.certificates ?? {}, shared: tls }).map(({ names, certificate, key }) =>
      block('server', {
        items: [
          ...listen(facts, { tls: true }),
          directive('server_name', names),
          directive('ssl_certificate', [{ text: certificate }]),
          directive('ssl_certificate_key', [{ text: key }]),
          directive('add_header', ['Strict-Transport-Security', '$fnrun_hsts', 'always'], 'HTTPS only from now on'),
          ...serving(way, site, [hsts]),
        ],
      }),
    ),
  ];
}

/** A server has one certificate: the names in groups that have the same. */
function byCertificate(
  names: readonly Word[],
  { own, shared }: { own: Readonly<Record<string, Certificate>>; shared: Certificate },
): ({ names: Word[] } & Certificate)[] {
  const groups = new Map<string, { names: Word[] } & Certificate>();
  for (const name of names) {
    const text = typeof name === 'string' ? name : name.text;
    const { certificate, key } = (Object.hasOwn(own, text) ? own[text] : null) ?? shared;
    const group = groups.get(certificate) ?? { names: [], certificate, key };
    group.names.push(name);
    groups.set(certificate, group);
  }
  return [...groups.values()];
}

const hsts = directive('add_header', ['Strict-Transport-Security', '$fnrun_hsts', 'always']);

/** What is behind the name. `headers` are those of the server, which a location with headers of its own must repeat. */
function serving(way: Way, site: SiteFacts, headers: readonly Directive[] = []): Item[] {
  const readMs = Math.max(site.timeoutMs + nginxLimits.readSlackMs, nginxLimits.readMsMin);
  const to = directive(
    'proxy_pass',
    [way.to],
    'Without a path behind the name: with one, nginx would decode %2f before the app host sees it',
  );
  return [
    directive('set', ['$fnrun_app', way.label]),
    ...rateItems(site),
    directive(
      'client_max_body_size',
      // 0 would be: no limit.
      [size(Math.max(1, site.maxBodyBytes))],
      'the largest maxBodyBytes of its functions: more is refused (413) before the app sees a byte',
    ),
    directive(
      'proxy_read_timeout',
      [seconds(readMs)],
      'between two reads: its longest timeoutMs and some. A WebSocket lasts longer, the app host pings its client every 25 s',
    ),
    block('if', { words: ['($fnrun_host_is_clear', '=', '0)'], items: [directive('return', ['400'])] }),
    ...(site.hasPublic
      ? [files(way, headers), block('location', { words: ['@fnrun_app'], items: [to] })]
      : [block('location', { words: ['/'], items: [to] })]),
    ...problemItems(),
  ];
}

/** Files of public/ before functions, as the app host has it: the file, with .html, index.html. */
function files(way: Way, headers: readonly Directive[]): Item {
  return block('location', {
    words: ['/'],
    reason:
      'public/ of the live release: a link that the server moves with each deployment, so that none needs a reload. What nginx does not find or may not read goes to the app host, which finds it',
    items: [
      directive('root', [way.live]),
      directive('try_files', [
        '/$fnrun_public$uri$fnrun_index',
        '/$fnrun_public$uri$fnrun_html',
        '/$fnrun_public$uri/index.html',
        '@fnrun_app',
      ]),
      directive('charset', ['utf-8']),
      directive(
        'add_header',
        ['Cache-Control', staticCacheControl],
        'kept, but asked for each time (304): names that look hashed may not be',
      ),
      directive('add_header', ['X-Request-Id', '$fnrun_request_id']),
      ...headers,
    ],
  });
}

/** Bytes, as nginx writes them. */
function size(bytes: number): string {
  if (bytes % 2 ** 20 === 0) return `${bytes / 2 ** 20}m`;
  return bytes % 1024 === 0 ? `${bytes / 1024}k` : String(bytes);
}
