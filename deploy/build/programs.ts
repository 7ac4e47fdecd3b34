import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { NpmCommand } from '../../builder/dependencies/npm.ts';
import { packageRoot } from '../../runtime/entry-points.ts';
import type { JailOptions } from './bwrap.ts';

type Programs = Pick<JailOptions, 'programs' | 'links'>;

// Single files of /etc: other ones, private keys among them, belong to root, as the daemon may.
const etc = ['ld.so.cache', 'localtime', 'passwd', 'group', 'nsswitch.conf'];
const certificates = ['/etc/ssl/certs', '/etc/ssl/openssl.cnf', '/etc/pki/tls/certs', '/etc/pki/ca-trust/extracted'];
const network = ['hosts', 'host.conf', 'gai.conf', 'services', 'protocols'];

/** What the bundling process needs of the machine: system libraries, Node, fnrun and the packages it is made of. */
export function buildPrograms(): Programs {
  const root = packageRoot();
  const own = ['dist', 'package.json', 'node_modules'].map((name) => join(root, name));
  // Installed as a package, fnrun has its dependencies beside itself.
  const above = /^.*?\/node_modules(?=\/)/.exec(root)?.[0];
  return merge(system(), { programs: present(above === undefined ? own : [above]), links: [] });
}

/** What npm needs: no part of fnrun, but names of hosts, certificates and, for what runs no scripts, the user's npmrc. */
export function npmPrograms(npm: NpmCommand, { trusted }: { trusted: boolean }): Programs {
  const cli = npm.args[0] ?? realpathSync(npm.file);
  // <package>/bin/npm-cli.js
  const own = present([dirname(dirname(cli))]);
  // A link, on many systems, to a file in /run.
  const resolver = present(['/etc/resolv.conf']).map((path) => [realpathSync(path), path] as const);
  const names = network.map((name) => `/etc/${name}`);
  const extra = process.env['NODE_EXTRA_CA_CERTS'] ?? '';
  const reach = [...resolver, ...present([...names, ...(extra === '' ? [] : [extra])])];
  const userConfig = userNpmrc();
  const config = userConfig === null ? [] : [[userConfig, jailNpmrc] as const];
  return merge(system(), { programs: [...own, ...(trusted ? [...reach, ...config] : [])], links: [] });
}

/** Where a jail has the user's npmrc: there is no home in it. */
export const jailNpmrc = '/etc/fnrun-npmrc';

/** The npmrc of the user that the daemon runs as; null without one. */
export function userNpmrc(): string | null {
  const path = process.env['npm_config_userconfig'] ?? join(homedir(), '.npmrc');
  return existsSync(path) ? realpathSync(path) : null;
}

function system(): Programs {
  const programs: string[] = present(['/usr', ...etc.map((name) => `/etc/${name}`), ...certificates]);
  const links: [string, string][] = [];
  for (const path of present(['/bin', '/sbin', '/lib', '/lib32', '/lib64'])) {
    if (lstatSync(path).isSymbolicLink()) links.push([readlinkSync(path), path]);
    else programs.push(path);
  }
  const node = realpathSync(process.execPath);
  programs.push(...[...new Set([node, process.execPath])].filter((path) => !path.startsWith('/usr/')));
  return { programs, links };
}

function present(paths: readonly string[]): string[] {
  return paths.filter((path) => existsSync(path));
}

function merge(a: Programs, b: Programs): Programs {
  return { programs: [...a.programs, ...b.programs], links: [...a.links, ...b.links] };
}
