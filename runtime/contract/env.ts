import { FnrunError } from './errors.ts';
import { envLimits } from './limits.ts';

/** Environment variables of an app, by name. */
export type Env = Readonly<Record<string, string>>;

const wellFormed = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Names that an app may not set, with the reason that a person is told. */
const reserved: readonly (readonly [RegExp, string])[] = [
  [/^FNRUN_/, 'names with FNRUN_ are kept for fnrun itself'],
  // Node reads it when a process starts: no effect on the app, but every node that the app starts would load what it names.
  [/^NODE_OPTIONS$/, 'it would change every node that the app starts, and not the app itself'],
  // A child that finds one of these takes a file descriptor for its channel to a parent that is none.
  [/^NODE_(CHANNEL_FD|CHANNEL_SERIALIZATION_MODE|UNIQUE_ID)$/, 'node uses it between a process and its children'],
  [/^(LD|DYLD)_/, 'the loader would put other code into every program that the app starts'],
  // Assigning to it would set the prototype of an object instead of a variable.
  [/^__proto__$/, 'JavaScript gives it a meaning of its own'],
];

/** Returns `name`. Throws FN_BAD_ENV when it cannot be that of an app's variable. */
export function checkEnvName(name: string): string {
  const shown = JSON.stringify(name.length > 60 ? `${name.slice(0, 57)}...` : name);
  if (!wellFormed.test(name) || name.length > envLimits.nameChars) {
    throw new FnrunError('FN_BAD_ENV', `${shown} cannot be the name of a variable`, {
      hint: `use up to ${envLimits.nameChars} letters, digits and _, no digit first, for example API_TOKEN`,
    });
  }
  const rule = reserved.find(([pattern]) => pattern.test(name));
  if (rule === undefined) return name;
  throw new FnrunError('FN_BAD_ENV', `${shown} cannot be set for an app: ${rule[1]}`, { hint: 'use another name' });
}

/** Throws FN_BAD_ENV when a name, a value or the size of `env` is beyond what an app may have. No message holds a value. */
export function checkEnv(env: Env): void {
  const entries = Object.entries(env);
  if (entries.length > envLimits.variables) {
    throw new FnrunError(
      'FN_BAD_ENV',
      `An app may have ${envLimits.variables} variables: these are ${entries.length}`,
      {
        hint: 'unset some that are not used',
      },
    );
  }
  let totalBytes = 0;
  for (const [name, value] of entries) {
    checkEnvName(name);
    checkValue(name, value);
    totalBytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  if (totalBytes > envLimits.totalBytes) {
    const what = `The variables of an app may have ${envLimits.totalBytes} bytes together: these have ${totalBytes}`;
    throw new FnrunError('FN_BAD_ENV', what, { hint: 'keep large data in a file of the app, or in a database' });
  }
}

function checkValue(name: string, value: string): void {
  const bytes = Buffer.byteLength(value);
  if (bytes > envLimits.valueBytes) {
    const what = `The value of ${name} has ${bytes} bytes: a value may have ${envLimits.valueBytes}`;
    throw new FnrunError('FN_BAD_ENV', what, { hint: 'keep large data in a file of the app, or in a database' });
  }
  // The environment of a process cannot hold either.
  if (value.includes('\0') || !value.isWellFormed()) {
    throw new FnrunError('FN_BAD_ENV', `The value of ${name} is no text`, {
      hint: 'encode binary data, as base64 for example',
    });
  }
}
