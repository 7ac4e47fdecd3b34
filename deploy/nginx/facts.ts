import type { RateLimit } from '../../runtime/contract/rate-limit.ts';
import type { NginxBuild } from './version.ts';

/** All that the main part of the configuration is made from. */
export interface NginxFacts {
  build: NginxBuild;
  /** System user of the processes that serve. */
  user: string;
  /** Whether the machine has IPv6: without, nginx does not start with such an address. */
  ipv6: boolean;
  /** Absolute paths: for each name that has none of its own (`SiteFacts.certificates`); null: HTTP only. */
  tls: Certificate | null;
  /** Addresses and networks of load balancers in front, whose X-Forwarded-For is believed. */
  trustedProxies: readonly string[];
  /** Whether requests above the limits are refused, not only noted in the log. */
  enforceLimits: boolean;
  places: NginxPlaces;
}

export interface Certificate {
  certificate: string;
  key: string;
}

/** Where nginx has what; absolute paths. */
export interface NginxPlaces {
  pid: string;
  errorLog: string;
  accessLog: string;
  /** Folder of the loaded dynamic modules' files; null: none. */
  modules: string | null;
  /** Folder in which an ACME client puts its answers. */
  acme: string;
}

/** Debian's and Ubuntu's. */
export const debianPlaces: NginxPlaces = {
  pid: '/run/nginx.pid',
  errorLog: '/var/log/nginx/error.log',
  accessLog: '/var/log/nginx/access.log',
  modules: '/etc/nginx/modules-enabled',
  acme: '/var/lib/fnrun-acme',
};

/** All that the file of one app is made from, beside the facts of the machine. */
export interface SiteFacts {
  app: string;
  /** Host names, lower case; may begin with `*.` or end with `.*`, as nginx has it. */
  names: readonly string[];
  /** Names that it asks for and another app has. */
  taken: readonly string[];
  /** Domains below which previews have their names; null: below any; empty: none. */
  previewDomains: readonly string[] | null;
  /** Absolute path of the folder with the socket of each app and preview: `<run>/shop.sock`. */
  run: string;
  /** And of the one with a folder for each, in which `live` is the live release: `<apps>/shop/live`. */
  apps: string;
  /** Whether the app has a folder public/. */
  hasPublic: boolean;
  /** The most that any of its functions takes. */
  maxBodyBytes: number;
  timeoutMs: number;
  /** By host name; a name that is not among them has the machine's. */
  certificates?: Readonly<Record<string, Certificate>>;
  /** Previews that have a certificate: each is a server of its own. Others share one. */
  previews?: readonly { name: string; host: string }[];
  /** `rateLimit` of fnrun.json; null: the machine's limits. */
  rateLimit?: RateLimit | null;
}
