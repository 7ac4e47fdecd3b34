import { checkLimits, checkPermissions } from './app-checks.ts';
import type { AppLimitsInput } from './app-limits.ts';
import type { AppPermissionsInput } from './app-permissions.ts';
import { boolean, list, map, number, object, text, wrong } from './config-check.ts';
import type { Check, ConfigIssue } from './config-check.ts';
import { checkDatabase } from './database.ts';
import type { DatabaseConfig } from './database.ts';
import { checkRateLimit } from './rate-limit.ts';
import type { RateLimitInput } from './rate-limit.ts';
import { checkSettings, settingKeys } from './settings.ts';
import type { FunctionSettingsInput } from './settings.ts';

/** `fnrun.json`: what an app says about itself. Every key is optional; docs/fnrun.schema.json is its JSON Schema. */
export interface AppConfig {
  /** For editors only. */
  $schema?: string;
  /** The app's name. @default the name of its folder, or of its repository on the server */
  name?: string;
  /** Host names that name this app besides `<app>.<anything>`. */
  domains?: string[];
  /** Settings of every function of the app. */
  defaults?: FunctionSettingsInput;
  /** Settings by function name (`users/[id]`); they win over the module's own `config`, which wins over `defaults`. */
  functions?: Record<string, FunctionSettingsInput>;
  /** What the app may use at once; docs/limits.md. */
  limits?: AppLimitsInput;
  /** What its code may do beside serving; docs/limits.md. */
  permissions?: AppPermissionsInput;
  bundle?: BundleConfig;
  dependencies?: DependenciesConfig;
  /** What runs once for a release before it is made live: a shell command line, or more about it. */
  release?: string | ReleaseConfig;
  /** Whether a release that fails far more often than the one before it is taken back. @default true */
  autoRollback?: boolean;
  /** What its functions may have of databases; docs/mysql.md. */
  database?: DatabaseConfig;
  /** What nginx lets one client address ask of it; docs/nginx.md. @default the server's own limits */
  rateLimit?: RateLimitInput;
}

/** How the functions are bundled. */
export interface BundleConfig {
  /** Packages left out of the bundles and loaded from node_modules: for those that read files beside themselves. */
  external?: string[];
  /** Fields of a package.json tried in turn for a package without `exports`. @default ["main", "module"] */
  mainFields?: string[];
  /** Conditions of `exports` that hold besides node, import, require, module and default. */
  conditions?: string[];
  /** Identifiers replaced by constants: `{ "DEBUG": "false" }`. Values are JavaScript literals. */
  define?: Record<string, string>;
}

/** How the packages are installed. */
export interface DependenciesConfig {
  /** Packages whose install scripts run, without network and jailed where builds are; true: all. @default false */
  installScripts?: boolean | string[];
}

/** What runs once for a release, before it is made live; docs/deploying.md. */
export interface ReleaseConfig {
  /** A shell command line, run in the app's folder; a failure rejects the release. */
  command?: string;
  /** How long it may run, in ms. @default 60000 */
  timeoutMs?: number;
}

const hostName = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/i;
const appName = /^[a-z][a-z0-9-]{0,39}$/;

/** Checks a parsed fnrun.json whole; no issues: it is an `AppConfig`. */
export function checkAppConfig(input: unknown): ConfigIssue[] {
  return object(rootChecks)(input, { file: 'fnrun.json', path: [] });
}

/** Every key that fnrun.json may have at its top. */
export const appConfigKeys: readonly string[] = [
  '$schema',
  'name',
  'domains',
  'defaults',
  'functions',
  'limits',
  'permissions',
  'bundle',
  'dependencies',
  'release',
  'autoRollback',
  'database',
  'rateLimit',
];

const settings: Check = (value, at) =>
  checkSettings(value).map((issue) => {
    if (issue.key === '') return wrong(at, 'an object', value);
    const known = issue.kind === 'unknown-key' ? settingKeys : null;
    return { path: [...at.path, issue.key], message: issue.message, known };
  });

const packageName = text('the name of a package', (value) =>
  /^(?:@[a-z0-9~_-][\w.~-]*\/)?[a-z0-9~_-][\w.~-]*$/i.test(value),
);

const commandLine = text('a shell command line');
const releaseObject = object({ command: commandLine, timeoutMs: number({ min: 1, max: 3_600_000, unit: 'ms' }) });

const scriptPackages = list('true, false, or a list of package names', packageName);

const scripts: Check = (value, at) => (typeof value === 'boolean' ? [] : scriptPackages(value, at));

const rootChecks: Record<string, Check> = {
  $schema: text('the address of a schema'),
  name: text('a name of small letters, digits and hyphens, at most 40, first a letter', (value) => appName.test(value)),
  domains: list(
    'a list of host names such as ["example.org"]',
    text('a host name such as "example.org"', (value) => hostName.test(value)),
  ),
  defaults: settings,
  functions: map('an object of settings by function name', settings),
  limits: checkLimits,
  permissions: checkPermissions,
  bundle: object({
    external: list('a list of package names', packageName),
    mainFields: list('a list such as ["module", "main"]', text('the name of a field of package.json')),
    conditions: list('a list of names', text('the name of a condition')),
    define: map(
      'an object of JavaScript literals by identifier',
      text('a JavaScript literal as a string, such as "\\"text\\"" or "42"'),
    ),
  }),
  dependencies: object({ installScripts: scripts }),
  release: (value, at) => (typeof value === 'string' ? commandLine : releaseObject)(value, at),
  autoRollback: boolean,
  database: checkDatabase,
  rateLimit: checkRateLimit,
};
