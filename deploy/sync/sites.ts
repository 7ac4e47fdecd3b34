import type { SiteBody, SiteDomain, SyncProblem } from '../../router/control/domain-types.ts';
import { domainLimits, httpLimits, invocationLimits, nginxLimits } from '../../runtime/contract/limits.ts';
import { isAppName } from '../app-name.ts';
import { isHostName } from '../nginx/site/names.ts';

/**
 * The daemon's answer, as far as it is what it must be: root believes neither names nor numbers. What is not becomes a
 * problem, and the app's files stay as they are (`untouched`).
 */
export function checkSites(answer: unknown): { sites: SiteBody[]; untouched: string[]; problems: SyncProblem[] } {
  const sites: SiteBody[] = [];
  const untouched: string[] = [];
  const problems: SyncProblem[] = [];
  const all = object(answer)['sites'];
  if (!Array.isArray(all)) throw new Error('The daemon answered with no list of apps');
  const seen = new Set<string>();
  for (const one of all.slice(0, nginxLimits.serverNames)) {
    const app = object(one)['app'];
    if (typeof app !== 'string' || !isAppName(app) || seen.has(app)) {
      problems.push({
        app: null,
        subject: 'apps',
        message: 'the daemon named an app as none can be named',
        hint: null,
      });
      continue;
    }
    seen.add(app);
    try {
      sites.push(checkSite(app, object(one)));
    } catch (error) {
      untouched.push(app);
      const message = `what the daemon says of ${app} cannot be used: ${(error as Error).message}`;
      problems.push({ app, subject: app, message, hint: 'its nginx files stay as they were' });
    }
  }
  return { sites, untouched, problems };
}

function checkSite(app: string, value: Record<string, unknown>): SiteBody {
  const { domains, taken, previews, hasPublic, rateLimit } = value;
  const preview = new RegExp(`^[a-z0-9](?:[a-z0-9-]{0,61})--${app}$`);
  if (typeof hasPublic !== 'boolean') throw new Error('hasPublic is neither true nor false');
  return {
    app,
    domains: list(domains, 'domains', domainLimits.perApp * 2).map(checkDomain),
    taken: list(taken, 'taken', domainLimits.perApp * 2).map(checkName),
    previews: list(previews, 'previews', nginxLimits.serverNames).map((name) => {
      if (typeof name === 'string' && name.length <= 63 && preview.test(name)) return name;
      throw new Error(`${JSON.stringify(name)} is no preview of it`);
    }),
    hasPublic,
    maxBodyBytes: whole(value['maxBodyBytes'], 'maxBodyBytes', httpLimits.responseBodyBytesMax),
    timeoutMs: whole(value['timeoutMs'], 'timeoutMs', invocationLimits.timeoutMsMax),
    rateLimit: rateLimit === null ? null : checkRates(object(rateLimit)),
  };
}

function checkRates(value: Record<string, unknown>): NonNullable<SiteBody['rateLimit']> {
  const rate = (key: string): number => whole(value[key], key, nginxLimits.rateMax);
  return {
    requestsPerSecond: Math.max(1, rate('requestsPerSecond')),
    burst: rate('burst'),
    connections: Math.max(1, rate('connections')),
  };
}

function checkDomain(value: unknown): SiteDomain {
  const { name, askedAtMs } = object(value);
  if (askedAtMs !== null && !Number.isSafeInteger(askedAtMs)) throw new Error('askedAtMs is no time');
  return { name: checkName(name), askedAtMs: askedAtMs as number | null };
}

function checkName(name: unknown): string {
  if (typeof name === 'string' && isHostName(name)) return name;
  throw new Error(`${JSON.stringify(name)} is no host name`);
}

function whole(value: unknown, what: string, max: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max) return value;
  throw new Error(`${what} is no number from 0 to ${max}`);
}

function list(value: unknown, what: string, max: number): unknown[] {
  if (Array.isArray(value) && value.length <= max) return value;
  throw new Error(`${what} is no list of at most ${max}`);
}

function object(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error('an object was expected');
}
