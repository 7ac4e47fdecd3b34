import { keyLimits } from '../../runtime/contract/limits.ts';
import { bad, object } from './bodies.ts';
import type { AddKeyBody, OpenBody } from './key-types.ts';

export function readOpenBody(value: unknown): OpenBody {
  const { service } = object(value);
  if (service !== 'receive-pack' && service !== 'upload-pack') throw bad('service must be receive-pack or upload-pack');
  return { service };
}

export function readAddKeyBody(value: unknown): AddKeyBody {
  const { name, publicKey, apps, branches, create, readOnly, admin } = object(value);
  if (typeof name !== 'string' || typeof publicKey !== 'string') throw bad('name and publicKey must be text');
  return {
    name,
    publicKey,
    apps: names('apps', apps),
    branches: names('branches', branches),
    create: create === true,
    readOnly: readOnly === true,
    admin: admin === true,
  };
}

/** Null must be said: what is left out by mistake must not stand for everything. */
function names(key: string, value: unknown): string[] | null {
  if (value === null) return null;
  const whole =
    Array.isArray(value) && value.length <= keyLimits.perKey && value.every((one) => typeof one === 'string');
  if (!whole) throw bad(`${key} must be null or a list of at most ${keyLimits.perKey} names`);
  return value;
}
