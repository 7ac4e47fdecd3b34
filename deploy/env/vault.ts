import { checkEnv, checkEnvName, type Env } from '../../runtime/contract/env.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import type { EnvVersion, Store } from '../store/store.ts';
import { envId, seal, sealedBytes, unseal } from './seal.ts';
import { makeSecretKey, readSecretKey } from './secret-key.ts';

/** A version of an app's environment; null: no variables. */
export interface EnvRef {
  app: string;
  id: string | null;
}

/** What is to become of some variables. */
export interface EnvChange {
  set: Env;
  unset: readonly string[];
}

/** The environments of all apps: stored encrypted, given out in clear to whoever runs the app. */
export interface EnvVault {
  /** Rejects with FN_SECRET_KEY when a value cannot be read. */
  read(env: EnvRef): Promise<Env>;
  /** Names and sizes, by name; needs no key. */
  describe(env: EnvRef): Promise<{ name: string; bytes: number }[]>;
  /**
   * Stores what `env` becomes with `change`; resolves to the version's id, null when no variable is left. Rejects
   * with FN_BAD_ENV, and with FN_SECRET_KEY when a value that stays cannot be read.
   */
  change(env: EnvRef, change: EnvChange): Promise<string | null>;
}

/** The vault over `store`, with the key in `keyFile`, which is made when the first value is stored. */
export function createEnvVault({ store, keyFile, now }: VaultOptions): EnvVault {
  const find = async ({ app, id }: EnvRef): Promise<EnvVersion['variables']> => {
    if (id === null) return {};
    const found = await store.getEnv(app, id);
    // Never without: code must not run as if nothing had been set.
    if (found === null) throw new Error(`The environment ${id} of ${app} is not on record`);
    return found.variables;
  };
  return {
    read: async (env) =>
      env.id === null ? {} : unsealAll(await find(env), { app: env.app, keyFile, key: await readSecretKey(keyFile) }),
    describe: async (env) =>
      Object.entries(await find(env))
        .map(([name, sealed]) => ({ name, bytes: sealedBytes(sealed) }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    change: async (env, change) => {
      const { app } = env;
      const stored = await find(env);
      checkChange(change, { app, stored });
      const replaced = new Set([...change.unset, ...Object.keys(change.set)]);
      const staying = Object.fromEntries(Object.entries(stored).filter(([name]) => !replaced.has(name)));
      const found = await readSecretKey(keyFile);
      const next = { ...unsealAll(staying, { app, keyFile, key: found }), ...change.set };
      checkEnv(next);
      const names = Object.keys(next);
      if (names.length === 0) return null;
      const key = found ?? (await makeSecretKey(keyFile));
      const id = envId(next, { app, key });
      const variables = Object.fromEntries(
        Object.entries(next).map(([name, value]) => [name, seal(value, { app, name, key })]),
      );
      await store.saveEnv({ app, id, createdAtMs: now(), variables });
      return id;
    },
  };
}

/** What a vault is made of. */
export interface VaultOptions {
  store: Pick<Store, 'getEnv' | 'saveEnv'>;
  keyFile: string;
  /** ms since the epoch. */
  now: () => number;
}

function checkChange({ set, unset }: EnvChange, { app, stored }: { app: string; stored: object }): void {
  for (const name of unset) {
    if (Object.hasOwn(stored, name)) continue;
    throw new FnrunError('FN_BAD_ENV', `${app} has no variable ${JSON.stringify(name)}`, {
      hint: `see: fnrun env ${app} list`,
    });
  }
  for (const name of Object.keys(set)) {
    checkEnvName(name);
    if (unset.includes(name)) throw new FnrunError('FN_BAD_ENV', `${name} is both set and unset`);
  }
}

function unsealAll(
  variables: Readonly<Record<string, string>>,
  { app, keyFile, key }: { app: string; keyFile: string; key: Buffer | null },
): Env {
  const opened = Object.entries(variables).map(
    ([name, sealed]) => [name, key === null ? null : unseal(sealed, { app, name, key })] as const,
  );
  const lost = opened.filter(([, value]) => value === null).map(([name]) => name);
  if (lost.length === 0) return Object.fromEntries(opened as [string, string][]);
  const why = key === null ? `${keyFile} is gone` : `${keyFile} is not the key that they were stored with`;
  throw new FnrunError('FN_SECRET_KEY', `The values of ${lost.join(', ')} of ${app} cannot be read: ${why}`, {
    hint: `put the key back from a backup and start the server again; if it is lost, set all of them anew in one call: fnrun env ${app} set`,
  });
}
