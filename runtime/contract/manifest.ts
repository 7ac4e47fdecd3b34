import type { AppLimitsInput } from './app-limits.ts';
import type { AppPermissionsInput } from './app-permissions.ts';
import type { DatabaseConfig } from './database.ts';
import type { RateLimitInput } from './rate-limit.ts';
import type { FunctionSettings, FunctionSettingsInput } from './settings.ts';

/** How a module's exports are called. */
export type HandlerShape = 'web' | 'fetch' | 'methods' | 'lambda' | 'websocket';

/** What loading a function in a worker told about it. */
export interface FunctionInspection {
  /** The shape; with `methods` and a default export both, `methods` (see `fallback`); `websocket`: nothing else. */
  shape: HandlerShape;
  /** It also takes WebSockets; absent in manifests made before it could. */
  websocket?: boolean;
  /** Shape of the default export beside per-method exports, which then takes the other methods. */
  fallback: 'web' | 'fetch' | null;
  /** Methods answered, upper case; null: all. HEAD and OPTIONS of the platform are not in it. */
  methods: string[] | null;
  /** The effective settings: ours, `defaults` of fnrun.json, the module's `config`, `functions` of fnrun.json. */
  settings: FunctionSettings;
  /** Warnings about the module's `config` (unknown keys). */
  warnings: string[];
}

/** One function of a release. */
export interface ManifestFunction {
  /** Path of its folder below functions/, `/`-separated: `users/[id]`; `index` for functions/index.ts. */
  name: string;
  /** `/users/:id`; a catch-all is `/files/*rest`; the root is `/`. Static segments are decoded text. */
  route: string;
  /** Path of the entry file from the app's root. */
  source: string;
  /** Path of the bundle from the release's root, `/`-separated. */
  bundle: string;
  /** The entry is CommonJS: its exports are the properties of the bundle's default export. */
  commonjs: boolean;
  /** Hash over the bundle, the chunks it imports and its settings: equal hash, equal behaviour. */
  hash: string;
  /** Size of the bundle with the chunks it imports. */
  bytes: number;
  /** What fnrun.json sets for this function by name: wins over the module's own `config`. */
  settings: FunctionSettingsInput;
  /** What fnrun.json sets for every function: the module's own `config` wins over it. */
  defaults: FunctionSettingsInput;
  /** Filled in by the boot check; null in a manifest that was built but never loaded. */
  inspection: FunctionInspection | null;
}

/** `manifest.json` of a release. Paths are relative to the release's root and `/`-separated. */
export interface Manifest {
  schema: 1;
  /** The release's id: 16 hex digits over everything below but the inspections. */
  release: string;
  functions: ManifestFunction[];
  /** Files under public/, as paths from public/, sorted. */
  public: string[];
  dependencies: {
    /** SHA-256 of the lockfile; null for an app without dependencies. */
    lockHash: string | null;
    /** Packages left out of the bundles, resolved from the release's node_modules. */
    external: string[];
  };
  /** Host names that name this app besides `<app>.<anything>`. */
  domains: string[];
  /** `limits` of fnrun.json; absent when it has none. */
  limits?: AppLimitsInput;
  /** `permissions` of fnrun.json; absent when it has none. */
  permissions?: AppPermissionsInput;
  /** `database` of fnrun.json; absent when it has none. */
  database?: DatabaseConfig;
  /** `rateLimit` of fnrun.json; absent when it has none. */
  rateLimit?: RateLimitInput;
  /** Whether the release is taken back when it fails far more often than the one before it; absent: yes. */
  autoRollback?: boolean;
}

/**
 * Name of a manifest in the folder of a build. A release that has the build with variables has one of its own beside
 * that of the build: what loading the functions told may depend on the variables.
 */
export function manifestName({ release }: { release?: string } = {}): string {
  return release === undefined ? 'manifest.json' : `manifest.${release}.json`;
}
