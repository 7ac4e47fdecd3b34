import type { SiteBody, SiteDomain } from '../../router/control/domain-types.ts';
import type { ManagedApp } from '../context.ts';
import { defaultLiveSettings } from './live-settings.ts';

/** What the sites are made from. */
export interface SitesOptions {
  /** All apps and previews, by name. */
  apps: () => readonly ManagedApp[];
  /** Called once for all changes of one turn, and only when what nginx must know is another. */
  onChange: () => void;
}

/** Which app has which host name, and what nginx must know of each. */
export class Sites {
  readonly #options: SitesOptions;
  #known: SiteBody[] | null = null;
  #told: string | null = null;
  #telling: NodeJS.Immediate | null = null;

  constructor(options: SitesOptions) {
    this.#options = options;
  }

  /** By name; previews are with their app. The same array until something changes. */
  list(): readonly SiteBody[] {
    this.#known ??= sitesOf(this.#options.apps());
    return this.#known;
  }

  /** The host names that are the app's own, besides `<app>.<anything>`. None of a preview. */
  domainsOf(app: string): readonly SiteDomain[] {
    return this.list().find((site) => site.app === app)?.domains ?? [];
  }

  /** The app that has `name`; null: none. */
  ownerOf(name: string): string | null {
    return this.list().find(({ domains }) => domains.some((domain) => domain.name === name))?.app ?? null;
  }

  /** To be called when an app comes or goes, gets another release or other domains. */
  changed(): void {
    this.#known = null;
    this.#telling ??= setImmediate(() => {
      this.#telling = null;
      const now = JSON.stringify(this.list());
      if (now === this.#told) return;
      this.#told = now;
      this.#options.onChange();
    });
  }

  /** Tells nothing any more. */
  stop(): void {
    if (this.#telling !== null) clearImmediate(this.#telling);
  }
}

/** A name that somebody has added goes before one of fnrun.json, and among these the first app's. */
function sitesOf(all: readonly ManagedApp[]): SiteBody[] {
  const apps = all.filter(({ previewOf }) => previewOf === null);
  const owners = new Map<string, string>();
  for (const app of apps) for (const { name } of app.domains) owners.set(name, app.name);
  for (const app of apps) {
    for (const name of app.live?.domains ?? []) if (!owners.has(name)) owners.set(name, app.name);
  }
  return apps.map(({ name: app, live, domains: added }) => {
    const asked = (live?.domains ?? []).filter((name) => !added.some((one) => one.name === name));
    const { hasPublic, maxBodyBytes, timeoutMs, rateLimit } = live?.settings ?? defaultLiveSettings;
    return {
      app,
      domains: [
        ...added,
        ...asked.filter((name) => owners.get(name) === app).map((name) => ({ name, askedAtMs: null })),
      ],
      taken: asked.filter((name) => owners.get(name) !== app),
      previews: all.flatMap(({ name, previewOf }) => (previewOf === app ? [name] : [])),
      hasPublic,
      maxBodyBytes,
      timeoutMs,
      rateLimit,
    };
  });
}
