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
  bundle?: BundleConfig;
  release?: ReleaseConfig;
  database?: DatabaseConfig;
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

/** What runs once for a release, before it is made live. */
export interface ReleaseConfig {
  /** A shell command line, run in the app's folder; a failure rejects the release. */
  command?: string;
  /** How long it may run, in ms. @default 60000 */
  timeoutMs?: number;
}

/** The app's share of the database server. */
export interface DatabaseConfig {
  /** Connections open at once over all workers and releases of the app. @default 10 */
  connections?: number;
}

/** One thing wrong in fnrun.json. */
export interface AppConfigIssue {
  /** Keys and indices from the root: `['functions', 'users/[id]', 'timeoutMs']`. */
  path: (string | number)[];
  message: string;
  /** An unknown key: the keys that would be known there. Null: the value is wrong. */
  known: readonly string[] | null;
}

const hostName = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/i;
const appName = /^[a-z][a-z0-9-]{0,39}$/;

type Path = (string | number)[];
type Check = (value: unknown, path: Path) => AppConfigIssue[];

/** Checks a parsed fnrun.json whole; no issues: it is an `AppConfig`. */
export function checkAppConfig(input: unknown): AppConfigIssue[] {
  return object(rootChecks)(input, []);
}

/** Every key that fnrun.json may have at its top. */
export const appConfigKeys: readonly string[] = [
  '$schema',
  'name',
  'domains',
  'defaults',
  'functions',
  'bundle',
  'release',
  'database',
];

const text = (wanted: string, fits: (value: string) => boolean = (value) => value !== ''): Check => {
  return (value, path) => (typeof value === 'string' && fits(value) ? [] : [wrong(path, wanted, value)]);
};

const integer = (min: number, max: number, unit: string): Check => {
  return (value, path) => {
    const fits = Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
    return fits ? [] : [wrong(path, `a whole number from ${min} to ${max} (${unit})`, value)];
  };
};

const list = (wanted: string, item: Check): Check => {
  return (value, path) => {
    if (!Array.isArray(value)) return [wrong(path, wanted, value)];
    return value.flatMap((each, index) => item(each, [...path, index]));
  };
};

const map = (wanted: string, item: Check): Check => {
  return (value, path) => {
    if (!isObject(value)) return [wrong(path, wanted, value)];
    return Object.entries(value).flatMap(([key, each]) => item(each, [...path, key]));
  };
};

function object(checks: Record<string, Check>): Check {
  const known = Object.keys(checks);
  return (value, path) => {
    if (!isObject(value)) return [wrong(path, 'an object', value)];
    return Object.entries(value).flatMap(([key, each]) => {
      const at = [...path, key];
      const check = Object.hasOwn(checks, key) ? checks[key]! : null;
      return check === null
        ? [{ path: at, message: `${show(key)} is no key of ${place(path)}`, known }]
        : check(each, at);
    });
  };
}

const settings: Check = (value, path) =>
  checkSettings(value).map((issue) => ({
    path: issue.key === '' ? path : [...path, issue.key],
    message: issue.key === '' ? `${place(path)} must be an object: it is ${show(value)}` : issue.message,
    known: issue.kind === 'unknown-key' ? settingKeys : null,
  }));

const packageName = text('the name of a package', (value) =>
  /^(?:@[a-z0-9~_-][\w.~-]*\/)?[a-z0-9~_-][\w.~-]*$/i.test(value),
);

const rootChecks: Record<string, Check> = {
  $schema: text('the address of a schema'),
  name: text('a name of small letters, digits and hyphens, at most 40, first a letter', (value) => appName.test(value)),
  domains: list(
    'a list of host names such as ["example.org"]',
    text('a host name such as "example.org"', (value) => hostName.test(value)),
  ),
  defaults: settings,
  functions: map('an object of settings by function name', settings),
  bundle: object({
    external: list('a list of package names', packageName),
    mainFields: list('a list such as ["module", "main"]', text('the name of a field of package.json')),
    conditions: list('a list of names', text('the name of a condition')),
    define: map(
      'an object of JavaScript literals by identifier',
      text('a JavaScript literal as a string, such as "\\"text\\"" or "42"'),
    ),
  }),
  release: object({ command: text('a shell command line'), timeoutMs: integer(1, 3_600_000, 'ms') }),
  database: object({ connections: integer(1, 10_000, 'connections') }),
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(path: Path, wanted: string, value: unknown): AppConfigIssue {
  return { path, message: `${place(path)} must be ${wanted}: it is ${show(value)}`, known: null };
}

/** `functions["users/[id]"].timeoutMs`, as one would write it. */
function place(path: Path): string {
  if (path.length === 0) return 'fnrun.json';
  return path
    .map((key, index) => {
      if (typeof key === 'string' && /^[\w$]+$/.test(key)) return index === 0 ? key : `.${key}`;
      return `[${JSON.stringify(key)}]`;
    })
    .join('');
}

function show(value: unknown): string {
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
}
