/** One app, as the gateway needs to know it. */
export interface GatewayApp {
  name: string;
  /** Host names of the live release that name this app besides `<name>.<anything>`. */
  domains: readonly string[];
  /** The unix socket that the app answers on. */
  socketPath: string;
  /** Whether the app has a live release. */
  live: boolean;
  /** Whether it is a preview of another app: it has no host names but its own. @default false */
  preview?: boolean;
}

/**
 * The app that `hostname` (lower case, without port) names: a configured domain first, then `<app>.<anything>`, which
 * may be a preview's; with one app only, any other host name is its own. Null when none fits.
 */
export function resolveHost(hostname: string, apps: readonly GatewayApp[]): GatewayApp | null {
  const [first] = apps;
  if (apps.length === 1 && first?.preview !== true) return first ?? null;
  for (const app of apps) {
    if (app.domains.some((domain) => domain.toLowerCase() === hostname)) return app;
  }
  const dot = hostname.indexOf('.');
  const label = dot === -1 ? '' : hostname.slice(0, dot);
  let only: GatewayApp | null = null;
  let count = 0;
  for (const app of apps) {
    if (app.name === label) return app;
    if (app.preview === true) continue;
    only = app;
    count++;
  }
  // A preview that has gone is not its app.
  return count === 1 && !label.includes('--') ? only : null;
}
