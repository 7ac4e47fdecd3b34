import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { repositoryRoot } from './cli.ts';
import { eventually, within } from './deadline.ts';
import { openRaw } from './raw-http.ts';
import type { HttpTarget } from './http.ts';

/** A running nginx. */
export interface Nginx {
  target: HttpTarget;
  stop(): Promise<void>;
}

/** An app as nginx is to serve it. */
interface NginxSite {
  name: string;
  hostname: string;
  socketPath: string;
}

/** Debian has it in /usr/sbin, which is not in everybody's PATH. */
export const nginxProgram = spawnSync('nginx', ['-v']).error === undefined ? 'nginx' : '/usr/sbin/nginx';

/**
 * Starts Debian's nginx in front of `sites`, configured as docs/http.md says, on a free port of 127.0.0.1 and
 * with all its files in `dir`: no service, nothing of the machine's own nginx.
 */
export async function startNginx(dir: string, sites: readonly NginxSite[]): Promise<Nginx> {
  const port = await freePort();
  await mkdir(join(dir, 'tmp'), { recursive: true });
  const shown = /^```nginx\n([^]*?)^```$/m.exec(await readFile(join(repositoryRoot, 'docs/http.md'), 'utf8'))?.[1];
  if (shown === undefined) throw new Error('docs/http.md shows no configuration of nginx');
  await writeFile(join(dir, 'nginx.conf'), configOf(shown, { sites, port }));
  const child = spawn(nginxProgram, ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (errors += text));
  const exited = once(child, 'exit');
  const target = { host: '127.0.0.1', port };
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await within(5_000, 'ending nginx', exited).catch(() => child.kill('SIGKILL'));
  };
  const listening = eventually(
    async () => {
      if (child.exitCode !== null) return true;
      (await openRaw(target)).destroy();
      return true;
    },
    { deadlineMs: 10_000 },
  );
  await listening.catch(() => undefined);
  if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}:\n${errors}`);
  return { target, stop };
}

/** nginx cannot be asked which port it took: one that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The configuration that is shown, once for each site, within what a whole file needs. */
function configOf(shown: string, { sites, port }: { sites: readonly NginxSite[]; port: number }): string {
  const upstreamAt = shown.indexOf('upstream shop');
  const defaultAt = shown.lastIndexOf('server {');
  const perSite = shown.slice(upstreamAt, defaultAt);
  const blocks = sites.map((site) =>
    replaceAll(perSite, [
      ['unix:/var/lib/fnrun/run/shop.sock', `unix:${site.socketPath}`],
      ['upstream shop', `upstream ${site.name}`],
      ['http://shop;', `http://${site.name};`],
      ['server_name shop.example.com', `server_name ${site.hostname}`],
      ['listen 80;', `listen 127.0.0.1:${port};`],
    ]),
  );
  const last = replaceAll(shown.slice(defaultAt), [['listen 80', `listen 127.0.0.1:${port}`]]);
  // One process: a worker of another user could not reach the sockets of a test.
  return `daemon off;
master_process off;
worker_rlimit_nofile 8192;
pid nginx.pid;
events { worker_connections 4096; }
http {
access_log off;
keepalive_timeout 15;
${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path tmp/${name};`).join('\n')}
${shown.slice(0, upstreamAt)}${blocks.join('')}${last}}
`;
}

/** Throws where one is missing: a document that changed must not leave the test with the machine's own paths. */
function replaceAll(text: string, pairs: readonly (readonly [string, string])[]): string {
  for (const [from, to] of pairs) {
    if (!text.includes(from)) throw new Error(`docs/http.md no longer has "${from}" in its configuration of nginx`);
    text = text.replaceAll(from, to);
  }
  return text;
}
