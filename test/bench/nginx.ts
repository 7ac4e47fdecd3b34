import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, within } from '../support/deadline.ts';
import { fetchFrom, targetOf } from '../support/http.ts';
import { freePort, type BenchServer } from './server.ts';
import { toolEnv } from './tools.ts';

/** As a production nginx is set up for an upstream on the same machine, without what belongs to TLS and many sites. */
const config = ({ socket, port }: { socket: string; port: number }): string => `daemon off;
worker_processes auto;
worker_rlimit_nofile 8192;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 2048; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 15;
  keepalive_requests 1000000;
  client_body_buffer_size 128k;
  client_max_body_size 8m;
  client_body_temp_path tmp/body;
  proxy_temp_path tmp/proxy;
  fastcgi_temp_path tmp/fastcgi;
  uwsgi_temp_path tmp/uwsgi;
  scgi_temp_path tmp/scgi;
  upstream app {
    server unix:${socket};
    keepalive 64;
    keepalive_requests 1000000;
  }
  server {
    listen 127.0.0.1:${port} reuseport;
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffers 8 16k;
      proxy_buffer_size 16k;
      proxy_next_upstream off;
    }
  }
}
`;

/** Starts Debian's nginx in front of a unix socket, with all its files in `dir`. */
export async function startNginx(socket: string, { dir }: { dir: string }): Promise<BenchServer> {
  const port = await freePort();
  await mkdir(join(dir, 'tmp'), { recursive: true });
  await writeFile(join(dir, 'nginx.conf'), config({ socket, port }));
  const child = spawn('nginx', ['-p', dir, '-c', join(dir, 'nginx.conf')], {
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
      await within(5_000, 'ending nginx', exited).catch(() => child.kill('SIGKILL'));
    },
  };
}
