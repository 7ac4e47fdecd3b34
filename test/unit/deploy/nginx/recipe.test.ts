import { expect, test } from 'vitest';
import { directivesOf, leftOutOf, type Word } from '../../../../deploy/nginx/directive.ts';
import { planMain } from '../../../../deploy/nginx/plan.ts';
import { renderFile } from '../../../../deploy/nginx/render-config.ts';
import { planSite } from '../../../../deploy/nginx/site/site.ts';
import { usualBuild } from '../../../../deploy/nginx/version.ts';
import { factsOf, siteFacts } from './facts.ts';

const main = planMain(factsOf());
const site = planSite(factsOf(), siteFacts());

/** The values of a directive, wherever it is. */
function values(name: string): string[] {
  const text = (word: Word): string => (typeof word === 'string' ? word : word.text);
  return directivesOf([...main.items, ...site.items]).flatMap((one) =>
    one.name === name ? [(one.words ?? []).map(text).join(' ')] : [],
  );
}

/** The recipe of 2013 that this takes the place of: each line is there with its value, with a better one, or left out with a reason. */
const recipe: Readonly<Record<string, string | { instead: string } | null>> = {
  worker_processes: 'auto',
  worker_connections: '2048',
  multi_accept: null,
  use: null,
  sendfile: 'on',
  tcp_nopush: 'on',
  tcp_nodelay: 'on',
  keepalive_timeout: '15s',
  client_body_buffer_size: { instead: '128k' },
  client_header_buffer_size: '1k',
  client_max_body_size: '8m',
  large_client_header_buffers: { instead: '4 16k' },
  types_hash_max_size: '2048',
  gzip: 'on',
  gzip_comp_level: '5',
  gzip_min_length: '256',
  gzip_proxied: 'any',
};

test.each(Object.entries(recipe))('%s of the 2013 recipe has its value, or a reason', (name, want) => {
  const left = leftOutOf(main.items).find(({ leftOut }) => leftOut.split(' ')[0] === name);
  if (want === null) {
    expect(left?.reason).toMatch(/\w{3}/);
    expect(values(name)).toEqual([]);
    return;
  }
  expect(values(name)[0]).toBe(typeof want === 'string' ? want : want.instead);
  const reason = directivesOf(main.items).find((one) => one.name === name)?.reason;
  if (typeof want !== 'string') expect(reason).toMatch(/\w{3}/);
});

/** What the recipe had not. */
const since: Readonly<Record<string, string>> = {
  worker_rlimit_nofile: '8192',
  worker_shutdown_timeout: '930s',
  gzip_vary: 'on',
  gzip_static: 'on',
  keepalive: '64',
  proxy_http_version: '1.1',
  proxy_request_buffering: 'on',
  proxy_buffers: '8 16k',
  proxy_buffer_size: '16k',
  proxy_max_temp_file_size: '64m',
  proxy_next_upstream: 'error',
  limit_req_dry_run: 'on',
  limit_conn_dry_run: 'on',
  ssl_reject_handshake: 'on',
  keepalive_requests: '1000',
  ssl_protocols: 'TLSv1.2 TLSv1.3',
  ssl_session_tickets: 'off',
  server_tokens: 'off',
};

test.each(Object.entries(since))('%s is there', (name, want) => expect(values(name)[0]).toBe(want));

test('worker_rlimit_nofile covers the two sockets of each connection', () => {
  expect(Number(values('worker_rlimit_nofile')[0])).toBeGreaterThanOrEqual(2 * Number(values('worker_connections')[0]));
});

test('a connection to an app is given up before the app closes it', () => {
  const upstream = directivesOf(site.items).find(({ name }) => name === 'upstream')!;
  const idle = directivesOf(upstream.block!).find(({ name }) => name === 'keepalive_timeout')!;
  expect(Number.parseInt(idle.words![0] as string, 10)).toBeLessThan(75);
});

test('no proxy_pass has a path behind the name', () => {
  const passes = values('proxy_pass');
  expect(passes).toEqual(['http://fnrun_shop', 'http://unix:/var/lib/fnrun/run/']);
  expect(renderFile(site)).toContain('proxy_pass http://unix:/var/lib/fnrun/run/$fnrun_preview.sock;');
});

test('no Connection header is written down, and no address is appended', () => {
  const headers = values('proxy_set_header');
  expect(headers).toContain('Connection $fnrun_connection');
  expect(headers).toContain('X-Forwarded-For $remote_addr');
});

test('a site inherits all proxy headers: it has none of its own, which would drop them', () => {
  expect(directivesOf(site.items).filter(({ name }) => name === 'proxy_set_header')).toEqual([]);
});

test('TLS has what the OpenSSL has, and HTTP/2 is said as the version has it', () => {
  const text = (version: string, openssl: string | null): string => {
    const facts = factsOf({ build: { ...usualBuild(version), openssl } });
    return renderFile(planMain(facts)) + renderFile(planSite(facts, siteFacts()));
  };
  const debian12 = text('1.22.1', '3.0.19');
  expect(debian12).toContain('ssl_ecdh_curve X25519:prime256v1:secp384r1;');
  expect(debian12).toContain('listen 443 ssl http2;');
  const debian13 = text('1.26.3', '3.5.1');
  expect(debian13).toContain('ssl_ecdh_curve X25519MLKEM768:X25519:prime256v1:secp384r1;');
  expect(debian13).toContain('listen 443 ssl;');
  expect(debian13).toContain('http2 on;');
});

test('body size and timeout are those of the app, and no size is no size at all', () => {
  const text = (own: Parameters<typeof siteFacts>[0]): string => renderFile(planSite(factsOf(), siteFacts(own)));
  expect(text({ maxBodyBytes: 0 })).toContain('client_max_body_size 1;');
  expect(text({ maxBodyBytes: 1536 })).toContain('client_max_body_size 1536;');
  expect(text({ maxBodyBytes: 50 * 2 ** 20, timeoutMs: 120_000 })).toMatch(
    /client_max_body_size 50m;[^]*proxy_read_timeout 150s;/,
  );
});
