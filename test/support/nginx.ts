import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { NginxFile } from '../../deploy/nginx/directive.ts';
import { debianPlaces, type NginxFacts, type SiteFacts } from '../../deploy/nginx/facts.ts';
import { detectNginx, type InstalledNginx } from '../../deploy/nginx/machine/detect-nginx.ts';
import { relocate } from '../../deploy/nginx/machine/relocate.ts';
import { writeFiles } from '../../deploy/nginx/machine/validate-nginx.ts';
import { planMain } from '../../deploy/nginx/plan.ts';
import { planSite } from '../../deploy/nginx/site/site.ts';
import { eventually, within } from './deadline.ts';
import type { HttpTarget } from './http.ts';
import { openRaw } from './raw-http.ts';
import { makeTempDir } from './temp-dir.ts';

/** Debian has it in /usr/sbin, which is not in everybody's PATH. */
const nginxProgram = spawnSync('nginx', ['-v']).error === undefined ? 'nginx' : '/usr/sbin/nginx';

/** An nginx that runs with the rendered configuration. */
export interface RenderedNginx extends AsyncDisposable {
  http: HttpTarget & { host: string; port: number };
  /** Where it takes TLS, when it does. */
  https: HttpTarget & { host: string; port: number };
  dir: string;
  /** A file as this nginx can have it: on its ports, with its logs in `dir`. */
  place(file: NginxFile): NginxFile;
  /** Its worker processes. */
  workers(): Promise<string[]>;
  /** Renders anew, and has the running nginx read it. */
  reload(sites: readonly SiteFacts[]): Promise<void>;
  /** Objects of the access log, once there are as many. */
  log(count: number): Promise<Record<string, unknown>[]>;
}

/** Facts of this machine, for a test that may change some. */
export async function nginxFacts(own: Partial<NginxFacts> = {}): Promise<NginxFacts & { build: InstalledNginx }> {
  const build = await installedNginx();
  // Root: the folders of a test let nobody else in.
  const usual = { user: 'root', ipv6: false, tls: null, trustedProxies: [], enforceLimits: false };
  return { ...usual, places: { ...debianPlaces, modules: null }, ...own, build };
}

/** Debian's nginx, which is there when tests run. */
export async function installedNginx(): Promise<InstalledNginx> {
  const installed = await detectNginx(nginxProgram);
  if (installed === null) throw new Error('nginx is not installed here: apt-get install nginx');
  return installed;
}

/** An app as `planSite` takes it, with its socket at `<dir>/run/<app>.sock`. */
export function siteOf(app: string, dir: string, own: Partial<SiteFacts> = {}): SiteFacts {
  const limits = { maxBodyBytes: 16 * 2 ** 20, timeoutMs: 10_000 };
  const names = { names: [`${app}.example.com`], taken: [], previewDomains: ['example.com'] };
  return { app, ...names, run: join(dir, 'run'), apps: join(dir, 'apps'), hasPublic: false, ...limits, ...own };
}

/** Starts nginx with the configuration of `sites` on free ports of 127.0.0.1, all its files in a folder of its own. */
export async function startRendered(
  facts: NginxFacts,
  sites: readonly SiteFacts[],
  { httpPort }: { httpPort?: number | undefined } = {},
): Promise<RenderedNginx> {
  const temp = await makeTempDir('fn-');
  const dir = temp.path;
  const ports: Record<string, number> = { '80': httpPort ?? (await freePort()), '443': await freePort() };
  const address = (of: string): string => `127.0.0.1:${ports[of]}`;
  const place = (file: NginxFile): NginxFile => relocate(file, { dir, isRoot: process.getuid?.() === 0, address });
  const write = async (next: readonly SiteFacts[]): Promise<void> => {
    const files = [planMain(facts), ...next.map((site) => planSite(facts, site))];
    await writeFiles(files.map(place), { dir });
  };
  await write(sites);
  const args = ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', 'stderr'];
  const child = spawn(nginxProgram, [...args, '-g', 'daemon off;'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (errors += text));
  const exited = once(child, 'exit');
  const http = { host: '127.0.0.1', port: ports['80']! };
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await within(15_000, 'ending nginx', exited).catch(() => child.kill('SIGKILL'));
    await temp.remove();
  };
  await eventually(
    async () => {
      if (child.exitCode !== null) return true;
      (await openRaw(http)).destroy();
      return true;
    },
    { deadlineMs: 10_000 },
  );
  if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}:\n${errors}`);
  const workers = async (): Promise<string> => {
    const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
    return children.trim();
  };
  return {
    http,
    https: { host: '127.0.0.1', port: ports['443']! },
    dir,
    place,
    workers: async () => (await workers()).split(' '),
    async reload(next) {
      const before = new Set((await workers()).split(' '));
      await write(next);
      child.kill('SIGHUP');
      // The new processes are there.
      await eventually(async () => (await workers()).split(' ').some((pid) => !before.has(pid)), {
        deadlineMs: 10_000,
      });
    },
    log: (count) =>
      eventually(async () => {
        const lines = (await readFile(join(dir, 'access.log'), 'utf8')).trim().split('\n');
        return lines.length >= count ? lines.map((line) => JSON.parse(line) as Record<string, unknown>) : null;
      }),
    [Symbol.asyncDispose]: stop,
  };
}

/** A certificate for `*.example.com` that nobody signed but itself. */
export async function selfSigned(dir: string): Promise<{ certificate: string; key: string }> {
  const [certificate, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const names = ['-subj', '/CN=example.com', '-addext', 'subjectAltName=DNS:example.com,DNS:*.example.com'];
  const args = ['req', '-x509', ...curve, '-nodes', '-days', '2', ...names, '-keyout', key, '-out', certificate];
  await promisify(execFile)('openssl', args);
  return { certificate, key };
}

/** A running nginx, as far as most tests need it. */
export interface Nginx {
  target: HttpTarget;
  stop(): Promise<void>;
}

/** Starts nginx in front of apps of a running server, by host name. */
export async function startNginx(
  apps: readonly { name: string; hostname: string; socketPath: string }[],
): Promise<Nginx> {
  const sites = apps.map(({ name, hostname, socketPath }) =>
    siteOf(name, dirname(dirname(socketPath)), { names: [hostname], hasPublic: true }),
  );
  const nginx = await startRendered(await nginxFacts(), sites);
  return { target: nginx.http, stop: async () => await nginx[Symbol.asyncDispose]() };
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
