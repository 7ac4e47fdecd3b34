import { FnrunError } from '../../../runtime/contract/errors.ts';
import type { SiteFacts } from '../facts.ts';

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const hostName = new RegExp(`^${label}(?:\\.${label})*$`);

/** Whether `name` can stand in a certificate and in DNS; lower case, international names in Punycode. */
export function isHostName(name: string): boolean {
  return name.length <= 253 && hostName.test(name);
}

/** `name` in lower case. Throws FN_USAGE when it is no host name. */
export function checkHostName(name: string): string {
  const lower = name.toLowerCase();
  if (isHostName(lower)) return lower;
  throw new FnrunError('FN_USAGE', `${JSON.stringify(name)} is no host name`, {
    hint: 'letters, digits and hyphens between dots, for example example.com; other letters as Punycode (xn--…)',
  });
}

/** An app, as far as its host names go. */
export interface NamedApp {
  app: string;
  /** Of its live release. */
  domains: readonly string[];
}

/**
 * The host names of each app: its domains, and its name below each of `domains`; without those below any, as the
 * gateway has it. A name that two apps ask for is the first one's: nginx would say so in a warning only.
 */
export function nameApps(
  apps: readonly NamedApp[],
  { domains }: { domains: readonly string[] },
): { app: string; names: string[]; taken: string[] }[] {
  const owners = new Map<string, string>();
  const claim = (app: string, name: string): boolean => {
    if (!owners.has(name)) owners.set(name, app);
    return owners.get(name) === app;
  };
  // First everybody's own: no domain of another app takes it away.
  const own = apps.map(({ app }) =>
    domains.length === 0 ? [`${app}.*`] : domains.map((domain) => `${app}.${domain}`),
  );
  apps.forEach(({ app }, i) => own[i]!.forEach((name) => claim(app, name)));
  return apps.map(({ app, domains: asked }, i) => {
    const unique = [...new Set(asked.map(checkHostName))];
    const names = unique.filter((name) => claim(app, name));
    return { app, names: [...new Set([...names, ...own[i]!])], taken: unique.filter((name) => !names.includes(name)) };
  });
}

/** The host names of all previews of an app, `<branch>--<app>`: one expression for each domain, which keeps the name. */
export function previewNames({ app, previewDomains }: Pick<SiteFacts, 'app' | 'previewDomains'>): string[] {
  const start = `~^(?<fnrun_preview>[a-z0-9-]+--${app})\\.`;
  if (previewDomains === null) return [start];
  return previewDomains.map((domain) => `${start}${domain.replaceAll('.', '\\.')}$`);
}
