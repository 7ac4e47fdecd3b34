import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { debianPlaces, type Certificate, type NginxFacts } from '../../deploy/nginx/facts.ts';
import { detectNginx, type InstalledNginx } from '../../deploy/nginx/machine/detect-nginx.ts';
import { checkHostName } from '../../deploy/nginx/site/names.ts';
import { oldestNginx, usualBuild, type NginxBuild } from '../../deploy/nginx/version.ts';
import { isAtLeast } from '../../deploy/versions.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { nginxLimits } from '../../runtime/contract/limits.ts';
import type { CommandContext, CommandOptions } from '../command.ts';

/** What a person says of nginx and of the machine. */
export const nginxOptions = {
  domain: {
    type: 'string',
    multiple: true,
    value: 'D',
    description: 'each app is <app>.D, each preview <branch>--<app>.D; repeatable (default: below any domain)',
  },
  'tls-cert': { type: 'string', value: 'FILE', description: 'certificate chain for all of these names' },
  'tls-key': { type: 'string', value: 'FILE', description: 'its key' },
  'no-tls': { type: 'boolean', description: 'HTTP only: something else in front ends TLS' },
  'nginx-version': { type: 'string', value: 'V', description: 'for example 1.26.3 (default: the one installed here)' },
  'trust-proxy': {
    type: 'string',
    multiple: true,
    value: 'NET',
    description: 'network of a load balancer that tells the client in X-Forwarded-For; repeatable',
  },
  'enforce-limits': { type: 'boolean', description: 'refuse what is above the limits, instead of only noting it' },
} as const satisfies CommandOptions;

type Values = CommandContext<typeof nginxOptions>['values'];

/** The main part's facts, and the nginx that may judge the files; null: none of this version is here. */
export async function gatherNginxFacts(
  values: Values,
  { user, cwd }: { user: string; cwd: string },
): Promise<{ facts: NginxFacts; judge: InstalledNginx | null }> {
  const { build, judge } = await chooseNginx(values['nginx-version']);
  const trustedProxies = values['trust-proxy'] ?? [];
  for (const network of trustedProxies) checkNetwork(network);
  checkCount(trustedProxies, '--trust-proxy');
  const facts: NginxFacts = {
    build,
    user,
    ipv6: existsSync('/proc/net/if_inet6'),
    tls: certificateOf(values, cwd),
    trustedProxies,
    enforceLimits: values['enforce-limits'] === true,
    // A module that is loaded there may be none of another machine's.
    places: {
      ...debianPlaces,
      modules: judge === null || existsSync(debianPlaces.modules!) ? debianPlaces.modules : null,
    },
  };
  return { facts, judge };
}

/** The domains that were named, in lower case. */
export function domainsOf({ domain = [] }: Values): string[] {
  checkCount(domain, '--domain');
  return [...new Set(domain.map(checkHostName))];
}

async function chooseNginx(version: string | undefined): Promise<{ build: NginxBuild; judge: InstalledNginx | null }> {
  if (version !== undefined && !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new FnrunError('FN_USAGE', `--nginx-version reads like 1.22.1: it is ${JSON.stringify(version)}`);
  }
  const installed = await detectNginx();
  const judge = installed !== null && (version === undefined || version === installed.version) ? installed : null;
  const build = judge ?? (version === undefined ? null : usualBuild(version));
  if (build === null) {
    throw new FnrunError('FN_USAGE', 'No nginx is installed here', { hint: 'say for which: --nginx-version 1.22.1' });
  }
  if (isAtLeast(build.version, oldestNginx)) return { build, judge };
  throw new FnrunError('FN_USAGE', `nginx ${build.version} is too old for this configuration`, {
    hint: `${oldestNginx} is the oldest that it is for`,
  });
}

function certificateOf(values: Values, cwd: string): Certificate | null {
  const { 'tls-cert': certificate, 'tls-key': key } = values;
  if (certificate === undefined && key === undefined) return null;
  if (values['no-tls'] === true) throw new FnrunError('FN_USAGE', '--no-tls and a certificate exclude each other');
  if (certificate === undefined || key === undefined) {
    throw new FnrunError('FN_USAGE', 'TLS needs both: --tls-cert FILE and --tls-key FILE');
  }
  return { certificate: resolve(cwd, certificate), key: resolve(cwd, key) };
}

function checkNetwork(network: string): void {
  const [address = '', bits, more] = network.split('/');
  const most = isIP(address) === 6 ? 128 : 32;
  const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  if (isIP(address) !== 0 && fits && more === undefined) return;
  throw new FnrunError('FN_USAGE', `--trust-proxy is an address or a network: it is ${JSON.stringify(network)}`, {
    hint: 'for example 10.0.0.0/8',
  });
}

function checkCount(list: readonly string[], name: string): void {
  if (list.length <= nginxLimits.names) return;
  throw new FnrunError('FN_USAGE', `${name} is given ${list.length} times: ${nginxLimits.names} are the most`);
}
