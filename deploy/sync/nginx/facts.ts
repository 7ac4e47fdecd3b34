import { existsSync } from 'node:fs';
import { debianPlaces, type NginxFacts } from '../../nginx/facts.ts';
import { detectNginx, type InstalledNginx } from '../../nginx/machine/detect-nginx.ts';
import { oldestNginx } from '../../nginx/version.ts';
import { isAtLeast } from '../../versions.ts';
import { FnrunError } from '../../../runtime/contract/errors.ts';

/** This machine's nginx, as a distribution installs it. Throws FN_SYNC_FAILED when there is none that can be used. */
export async function findNginx(): Promise<{ facts: Omit<NginxFacts, 'tls'>; judge: InstalledNginx }> {
  const judge = await detectNginx();
  if (judge === null || !isAtLeast(judge.version, oldestNginx)) {
    const what = judge === null ? 'nginx is not installed here' : `nginx ${judge.version} is too old`;
    throw new FnrunError('FN_SYNC_FAILED', what, { hint: 'fnrun server setup installs it' });
  }
  const facts = {
    build: judge,
    user: 'www-data',
    ipv6: existsSync('/proc/net/if_inet6'),
    trustedProxies: [],
    enforceLimits: false,
    places: { ...debianPlaces, modules: existsSync(debianPlaces.modules!) ? debianPlaces.modules : null },
  };
  return { facts, judge };
}
