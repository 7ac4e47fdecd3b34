/** Bodies of the control API that are about host names and what root does for them; the others are in types.ts. */

/** What nginx must know of one app, as in `GET /v1/sites`. */
export interface SiteBody {
  app: string;
  /** Its host names besides `<app>.<anything>`: no other app has them. Lower case. */
  domains: SiteDomain[];
  /** Names that its fnrun.json asks for and another app has. */
  taken: string[];
  /** Names of its previews, `<branch>--<app>`. */
  previews: string[];
  /** Whether the live release has a folder public/. */
  hasPublic: boolean;
  /** The most that any of its functions takes. */
  maxBodyBytes: number;
  timeoutMs: number;
  /** `rateLimit` of fnrun.json, complete; null: it says nothing. */
  rateLimit: { requestsPerSecond: number; burst: number; connections: number } | null;
}

/** A host name of an app. */
export interface SiteDomain {
  name: string;
  /** When somebody last asked for it with `fnrun domains add`, in ms since the epoch; null: it is from fnrun.json. */
  askedAtMs: number | null;
}

/** `GET /v1/sites` */
export interface SitesBody {
  sites: SiteBody[];
}

/** One domain, as in `GET /v1/apps/:app/domains`. */
export interface DomainBody {
  name: string;
  /** Where it was said; `server`: by `fnrun domains add`. */
  from: 'server' | 'fnrun.json';
  /** The app that has it instead; null: this one has it. */
  takenBy: string | null;
  /** What nginx shows for it; null: not known, or no nginx is looked after here. */
  certificate: CertificateBody | null;
  /** Why it does not work, in words; null: nothing is known to be wrong. */
  problem: string | null;
  /** What to do about that. */
  hint: string | null;
}

/** A certificate that nginx shows. */
export interface CertificateBody {
  /** Null: nobody but this server itself signed it. */
  issuer: string | null;
  expiresAt: string;
}

/** `GET /v1/apps/:app/domains`, and the answer to `POST` there. */
export interface DomainsBody {
  app: string;
  domains: DomainBody[];
  /**
   * What root was asked for last; with `?request=N` the answer comes when that is done or after 20 s.
   * Null: nothing on this machine looks after nginx.
   */
  request: number | null;
  /** Whether root has not got so far yet. */
  pending: boolean;
}

/** Body of `POST /v1/apps/:app/domains`. */
export interface DomainChangeBody {
  add?: string[];
  remove?: string[];
}

/** `<home>/run/sync.json`: what `fnrun server sync` did last. `sync-served.json`: the same without certificates, and before them. */
export interface SyncOutcome {
  /** The newest number in `<home>/run/sync` that it took up; 0: none. */
  request: number;
  startedAt: string;
  finishedAt: string;
  parts: SyncPartOutcome[];
}

/** What one part of it did. */
export interface SyncPartOutcome {
  /** `nginx`, `certificates`, … */
  id: string;
  /** One line each, in the past: `wrote /etc/nginx/fnrun/shop.conf`. */
  changed: string[];
  problems: SyncProblem[];
  /** Of `certificates`: what is shown for each name. */
  certificates?: Record<string, CertificateBody>;
  /** Of `nginx`: the names of each app and preview for which it shows the certificate that nobody signed until there is another. */
  unsigned?: Record<string, string[]>;
}

/** Something that a part could not do. The others did theirs. */
export interface SyncProblem {
  /** Null: it concerns the machine. */
  app: string | null;
  /** What it is about: a domain, a file, a database. */
  subject: string;
  message: string;
  hint: string | null;
}
