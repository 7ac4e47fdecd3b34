import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianPlaces } from '../../deploy/nginx/facts.ts';
import { detectNginx } from '../../deploy/nginx/machine/detect-nginx.ts';
import { relocate } from '../../deploy/nginx/machine/relocate.ts';
import { writeFiles } from '../../deploy/nginx/machine/validate-nginx.ts';
import { planMain } from '../../deploy/nginx/plan.ts';
import { planSite } from '../../deploy/nginx/site/site.ts';
import { eventually, within } from '../support/deadline.ts';
import { fetchFrom, targetOf } from '../support/http.ts';
import { freePort, type BenchServer } from './server.ts';
import { spawnService } from './service.ts';
import { toolEnv } from './tools.ts';

/**
 * How nginx is set up: as `fnrun render nginx` has it, for an app without or with a folder public/; with `proxy_pass` and
 * Debian's defaults; with the recipe of 2013, which says nothing about upstreams.
 */
export type NginxSetup = 'rendered' | 'rendered with public' | 'bare' | '2013';

/** `worker_processes`, as all have it, and what keeps the files of a plain one together. */
const frame = (main: string, http: string): string => `worker_processes auto;
worker_rlimit_nofile 8192;
pid nginx.pid;
error_log stderr warn;
${main}
http {
  access_log access.log;
${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `  ${of}_temp_path tmp/${of};`).join('\n')}
${http}
}
`;

const server = ({ socket, port }: { socket: string; port: number }): string => `
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://unix:${socket}; }
  }`;

const recipe = `
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 15;
  client_body_buffer_size 10K;
  client_header_buffer_size 1k;
  client_max_body_size 8m;
  large_client_header_buffers 2 1k;
  types_hash_max_size 2048;
  gzip on;
  gzip_comp_level 5;
  gzip_min_length 256;
  gzip_proxied any;
  gzip_types text/plain text/css application/json application/javascript text/xml application/xml;`;

/** Starts Debian's nginx in front of `<dir>/app.sock`, with all its files in `dir`. */
export async function startNginx(setup: NginxSetup, { dir }: { dir: string }): Promise<BenchServer> {
  const port = await freePort();
  const at = { socket: join(dir, 'app.sock'), port };
  await mkdir(join(dir, 'tmp'), { recursive: true });
  const plain = setup === 'bare' || setup === '2013';
  if (plain) {
    const events =
      setup === 'bare' ? 'worker_connections 768;' : 'worker_connections 2048; multi_accept on; use epoll;';
    const text = frame(
      `events { ${events} }`,
      (setup === 'bare' ? 'sendfile on; tcp_nopush on;' : recipe) + server(at),
    );
    await writeFile(join(dir, 'nginx.conf'), text);
  } else {
    await writeRendered({ dir, port, hasPublic: setup === 'rendered with public' });
  }
  const child = spawnService('nginx', ['-p', dir, '-c', join(dir, 'nginx.conf'), '-g', 'daemon off;'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: toolEnv,
  });
  const exited = once(child, 'exit');
  const url = `http://127.0.0.1:${port}/`;
  await eventually(async () => (await fetchFrom(targetOf(url), { path: '/' })).status === 200, {
    deadlineMs: 10_000,
  }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  return {
    pid: child.pid!,
    url,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await within(15_000, 'ending nginx', exited).catch(() => child.kill('SIGKILL'));
    },
  };
}

async function writeRendered(of: { dir: string; port: number; hasPublic: boolean }): Promise<void> {
  const { dir, port, hasPublic } = of;
  const build = await detectNginx();
  if (build === null) throw new Error('nginx does not say what it is');
  const usual = { ipv6: false, tls: null, trustedProxies: [], enforceLimits: false };
  const facts = { build, user: 'www-data', ...usual, places: { ...debianPlaces, modules: null } };
  const limits = { maxBodyBytes: 16 * 2 ** 20, timeoutMs: 10_000 };
  const names = { names: ['127.0.0.1'], taken: [], previewDomains: [] };
  const site = planSite(facts, { app: 'app', ...names, run: dir, apps: dir, hasPublic, ...limits });
  const isRoot = process.getuid?.() === 0;
  const files = [planMain(facts), site].map((file) =>
    relocate(file, { dir, isRoot, address: () => `127.0.0.1:${port}` }),
  );
  await writeFiles(files, { dir });
}
