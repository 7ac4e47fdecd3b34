import { debianPlaces, type NginxFacts, type SiteFacts } from '../../../../deploy/nginx/facts.ts';
import { usualBuild } from '../../../../deploy/nginx/version.ts';

/** A machine as setup finds it, with what a test changes. */
export function factsOf(own: Partial<NginxFacts> = {}): NginxFacts {
  return {
    build: usualBuild('1.22.1'),
    user: 'www-data',
    ipv6: true,
    tls: { certificate: '/etc/ssl/shop.pem', key: '/etc/ssl/shop.key' },
    trustedProxies: [],
    enforceLimits: false,
    places: debianPlaces,
    ...own,
  };
}

export function siteFacts(own: Partial<SiteFacts> = {}): SiteFacts {
  return {
    app: 'shop',
    names: ['shop.example.com'],
    taken: [],
    previewDomains: ['example.com'],
    run: '/var/lib/fnrun/run',
    apps: '/var/lib/fnrun/apps',
    hasPublic: true,
    maxBodyBytes: 16 * 2 ** 20,
    timeoutMs: 10_000,
    ...own,
  };
}
