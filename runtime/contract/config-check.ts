/** One thing wrong in a configuration file. */
export interface ConfigIssue {
  /** Keys and indices from the root: `['functions', 'users/[id]', 'timeoutMs']`. */
  path: (string | number)[];
  message: string;
  /** An unknown key: the keys that would be known there. Null: the value is wrong. */
  known: readonly string[] | null;
}

/** Where a value stands. */
export interface At {
  /** Name of the file, for messages about the whole of it. */
  file: string;
  path: (string | number)[];
}

/** Says what is wrong with a value; nothing when it fits. */
export type Check = (value: unknown, at: At) => ConfigIssue[];

/** A string, not empty unless `fits` says otherwise. */
export function text(wanted: string, fits: (value: string) => boolean = (value) => value !== ''): Check {
  return (value, at) => (typeof value === 'string' && fits(value) ? [] : [wrong(at, wanted, value)]);
}

/** A whole number of `unit`s; with `fraction`, any. */
export function number(rule: { min: number; max: number; unit: string; fraction?: true }): Check {
  const { min, max, unit, fraction = false } = rule;
  const wanted = `${fraction ? 'a number' : 'a whole number'} from ${min} to ${max} (${unit})`;
  return (value, at) => {
    const right = fraction ? Number.isFinite(value) : Number.isInteger(value);
    const fits = right && (value as number) >= min && (value as number) <= max;
    return fits ? [] : [wrong(at, wanted, value)];
  };
}

export const boolean: Check = (value, at) => (typeof value === 'boolean' ? [] : [wrong(at, 'true or false', value)]);

export function list(wanted: string, item: Check): Check {
  return (value, at) => {
    if (!Array.isArray(value)) return [wrong(at, wanted, value)];
    return value.flatMap((each, index) => item(each, below(at, index)));
  };
}

export function map(wanted: string, item: Check): Check {
  return (value, at) => {
    if (!isObject(value)) return [wrong(at, wanted, value)];
    return Object.entries(value).flatMap(([key, each]) => item(each, below(at, key)));
  };
}

/** An object with these keys and no others; none of them must be there. */
export function object(checks: Record<string, Check>): Check {
  const known = Object.keys(checks);
  return (value, at) => {
    if (!isObject(value)) return [wrong(at, 'an object', value)];
    return Object.entries(value).flatMap(([key, each]) => {
      const check = Object.hasOwn(checks, key) ? checks[key]! : null;
      const inside = below(at, key);
      return check === null
        ? [{ path: inside.path, message: `${show(key)} is no key of ${place(at)}`, known }]
        : check(each, inside);
    });
  };
}

/** The issue that a value is not what was `wanted`. */
export function wrong(at: At, wanted: string, value: unknown): ConfigIssue {
  return { path: at.path, message: `${place(at)} must be ${wanted}: it is ${show(value)}`, known: null };
}

/** `functions["users/[id]"].timeoutMs`, as one would write it. */
function place({ file, path }: At): string {
  if (path.length === 0) return file;
  return path
    .map((key, index) => {
      if (typeof key === 'string' && /^[\w$]+$/.test(key)) return index === 0 ? key : `.${key}`;
      return `[${JSON.stringify(key)}]`;
    })
    .join('');
}

function below({ file, path }: At, key: string | number): At {
  return { file, path: [...path, key] };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
}
