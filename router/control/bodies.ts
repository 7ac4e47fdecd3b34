import { FnrunError } from '../../runtime/contract/errors.ts';
import { deployLimits, domainLimits } from '../../runtime/contract/limits.ts';
import type { DomainChangeBody } from './domain-types.ts';
import type {
  ActivateBody,
  ChangeAppBody,
  CreateAppBody,
  EnvChangeBody,
  ReceiveBody,
  RefUpdate,
  SwitchBody,
} from './types.ts';

// SHA-1 or SHA-256.
const objectId = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
// What git's check-ref-format lets through, less what would be odd as a path below the repository.
const refName = /^refs\/[^\s\\:?*[^~]+$/;

export function readCreateAppBody(value: unknown): CreateAppBody {
  const { name, branch } = object(value);
  if (typeof name !== 'string') throw bad('name must be text');
  if (branch === undefined || branch === null) return { name };
  if (typeof branch !== 'string') throw bad('branch must be text');
  return { name, branch };
}

export function readChangeAppBody(value: unknown): ChangeAppBody {
  const { branch } = object(value);
  if (branch === undefined) return {};
  if (branch !== null && typeof branch !== 'string') throw bad('branch must be text or null');
  return { branch };
}

export function readSwitchBody(value: unknown): SwitchBody {
  const { release } = object(value);
  if (release === undefined || release === null) return {};
  if (typeof release !== 'string' || !/^[0-9a-f]{4,64}$/.test(release)) {
    throw new FnrunError('FN_NO_SUCH_RELEASE', `${JSON.stringify(release)} is no release`, {
      hint: 'name at least 4 hex digits of its id, see: fnrun deploys APP',
    });
  }
  return { release };
}

export function readEnvChangeBody(value: unknown): Required<EnvChangeBody> {
  const { set = {}, unset = [] } = object(value);
  const entries = Object.entries(object(set));
  if (!entries.every(([, text]) => typeof text === 'string')) throw bad('set must hold texts');
  if (!Array.isArray(unset) || !unset.every((name) => typeof name === 'string'))
    throw bad('unset must be a list of names');
  if (entries.length + unset.length === 0) throw bad('set or unset must name a variable');
  return { set: Object.fromEntries(entries) as Record<string, string>, unset };
}

export function readDomainChangeBody(value: unknown): Required<DomainChangeBody> {
  const { add = [], remove = [] } = object(value);
  const isList = (list: unknown): list is string[] =>
    Array.isArray(list) && list.length <= domainLimits.perApp && list.every((name) => typeof name === 'string');
  if (!isList(add) || !isList(remove)) throw bad('add and remove must be lists of names');
  if (add.length + remove.length === 0) throw bad('add or remove must name a domain');
  return { add, remove };
}

export function readReceiveBody(value: unknown): ReceiveBody {
  const { updates, quarantine, startedAtMs, color } = object(value);
  const { objectDirectory, alternates, path } = object(quarantine);
  if (![objectDirectory, alternates, path].every((part) => typeof part === 'string'))
    throw bad('quarantine is not whole');
  if (typeof startedAtMs !== 'number') throw bad('startedAtMs must be a number');
  return {
    updates: readUpdates(updates),
    quarantine: { objectDirectory, alternates, path } as ReceiveBody['quarantine'],
    startedAtMs,
    color: color === true,
  };
}

export function readActivateBody(value: unknown): ActivateBody {
  const { updates, color } = object(value);
  return { updates: readUpdates(updates), color: color === true };
}

function readUpdates(value: unknown): RefUpdate[] {
  if (!Array.isArray(value) || value.length > deployLimits.pushRefs) throw bad('updates must be a list');
  return value.map((entry) => {
    const { old, new: now, ref } = object(entry);
    const ids = [old, now].every((id) => typeof id === 'string' && objectId.test(id));
    const named = typeof ref === 'string' && refName.test(ref) && !ref.split('/').includes('..');
    if (!ids || !named) throw bad('an update needs old, new and ref');
    return { old, new: now, ref } as RefUpdate;
  });
}

export function object(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('an object was expected');
  return value as Record<string, unknown>;
}

export function bad(why: string): FnrunError {
  return new FnrunError('FN_BAD_REQUEST', `The body cannot be read: ${why}`);
}
