import type { SyncContext } from './part.ts';
import { isHostName, nameApps } from '../nginx/site/names.ts';

/** The host names of one app, each of them its own. */
export interface NamedSite {
  app: string;
  names: string[];
  /** Names that it asks for and another app has. */
  taken: string[];
  previews: { name: string; host: string }[];
}

/** Who has which name: no name is twice among them. */
export function nameSites({ sites, server }: Pick<SyncContext, 'sites' | 'server'>): NamedSite[] {
  const { domain } = server;
  const apps = sites.map(({ app, domains }) => ({ app, domains: domains.map(({ name }) => name) }));
  // Without a domain an app is only what it asks for: `shop.*` would be for any name, and for no certificate.
  return nameApps(apps, { domains: domain === null ? [] : [domain] }).map(({ app, names, taken }, i) => ({
    app,
    names: names.filter(isHostName),
    taken: [...taken, ...sites[i]!.taken],
    previews:
      domain === null
        ? []
        : sites[i]!.previews.map((name) => ({ name, host: `${name}.${domain}` })).filter(({ host }) =>
            isHostName(host),
          ),
  }));
}
