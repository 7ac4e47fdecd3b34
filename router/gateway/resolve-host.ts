/** One app, as the gateway needs to know it. */
export interface GatewayApp {
  name: string;
  /** Host names of the live release that name this app besides `<name>.<anything>`. */
  domains: readonly string[];
  /** The unix socket that the app answers on. */
  socketPath: string;
  /** Whether the app has a live release. */
  live: boolean;
}

/**
 * The app that `hostname` (lower case, without port) names: a configured domain first, then `<app>.<anything>`;
 * with one app only, any host name is its own. Null when none fits.
 */
export function resolveHost(hostname: string, apps: readonly GatewayApp[]): GatewayApp | null {
  if (apps.length === 1) return apps[0] as GatewayApp;
  for (const app of apps) {
    if (app.domains.some((domain) => domain.toLowerCase() === hostname)) return app;
  }
  const dot = hostname.indexOf('.');
  if (dot === -1) return null;
  const label = hostname.slice(0, dot);
  return apps.find((app) => app.name === label) ?? null;
}
