import type { SiteBody, SiteDomain } from '../../router/control/domain-types.ts';
import type { ManagedApp } from '../context.ts';
import { defaultLiveSettings } from './live-settings.ts';

/** What the sites are made from. */
export interface SitesOptions {
  /** All apps and previews, by name. */
  apps: () => readonly ManagedApp[];
  /**
   * Called once for all changes of one turn, and only when what nginx must know is another. Resolves to the number of
   * the request to root; null: nobody looks after nginx here.
   */
  onChange: () => Promise<number | null>;
}

/** What was last told of an app. */
interface Told {
  site: string;
  request: Promise<number | null>;
}

/** Which app has which host name, and what nginx must know of each. */
export class Sites {
  readonly #options: SitesOptions;
  #known: SiteBody[] | null = null;
  #claims: ReadonlyMap<string, string> = new Map();
  #told: ReadonlyMap<string, Told> = new Map();
  #telling: NodeJS.Immediate | null = null;

  constructor(options: SitesOptions) {
    this.#options = options;
  }

  /** By name; previews are with their app. The same array until something changes. */
  list(): readonly SiteBody[] {
    this.#known ??= sitesOf(this.#options.apps(), this.#claims);
    return this.#known;
  }

  /** The host names that are the app's own, besides `<app>.<anything>`. None of a preview. */
  domainsOf(app: string): readonly SiteDomain[] {
    return this.list().find((site) => site.app === app)?.domains ?? [];
  }

  /** Names that the app's fnrun.json asks for and another app has. */
  takenFrom(app: string): readonly string[] {
    return this.list().find((site) => site.app === app)?.taken ?? [];
  }

  /** The app that has `name`; null: none. */
  ownerOf(name: string): string | null {
    return this.list().find(({ domains }) => domains.some((domain) => domain.name === name))?.app ?? null;
  }

  /** Which app has which name of fnrun.json, as the store knows it. */
  setClaims(claims: ReadonlyMap<string, string>): void {
    this.#claims = claims;
    this.changed();
  }

  /** To be called when an app comes or goes, gets another release or other domains. */
  changed(): void {
    this.#known = null;
    this.#telling ??= setImmediate(() => this.#tell());
  }

  /** The request to root in which nginx was to follow the last change of the app's site; null: there was none. */
  async requestOf(app: string): Promise<number | null> {
    if (this.#telling !== null) {
      clearImmediate(this.#telling);
      this.#tell();
    }
    return (await this.#told.get(app)?.request) ?? null;
  }

  /** Tells nothing any more. */
  stop(): void {
    if (this.#telling !== null) clearImmediate(this.#telling);
    this.#telling = null;
  }

  #tell(): void {
    this.#telling = null;
    const before = this.#told;
    const sites = this.list().map((site) => ({ app: site.app, site: JSON.stringify(site) }));
    if (sites.length === before.size && sites.every(({ app, site }) => before.get(app)?.site === site)) return;
    const request = this.#options.onChange();
    this.#told = new Map(
      sites.map(({ app, site }) => {
        const told = before.get(app);
        return [app, told?.site === site ? told : { site, request }];
      }),
    );
  }
}

/** A name that somebody has added goes before one of fnrun.json; one of these stays with the app that had it first. */
function sitesOf(all: readonly ManagedApp[], claims: ReadonlyMap<string, string>): SiteBody[] {
  const apps = all.filter(({ previewOf }) => previewOf === null);
  const owners = new Map<string, string>();
  for (const app of apps) for (const { name } of app.domains) owners.set(name, app.name);
  const asked = apps.flatMap(({ name: app, live }) => (live?.domains ?? []).map((name) => ({ app, name })));
  const claimed = asked.filter(({ app, name }) => claims.get(name) === app);
  // Those that nobody had before come last: the store records them as soon as it can.
  for (const { app, name } of [...claimed, ...asked]) if (!owners.has(name)) owners.set(name, app);
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
