import type { Caller, ControlService } from '../../router/control/service.ts';
import type { KeyBody } from '../../router/control/key-types.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { isAppName } from '../app-name.ts';
import type { Apps } from '../apps.ts';
import type { KeyRecord } from '../store/store.ts';
import { describeGrant, hasApp, mayDo } from './grant.ts';
import type { Keys } from './keys.ts';

type KeyMethods = 'authorize' | 'getAccess' | 'openRepository' | 'listKeys' | 'addKey' | 'removeKey';

export interface KeyServiceOptions {
  keys: Keys;
  apps: Apps;
  /** Called when a push has made an app; the push waits for it. */
  made: (app: string) => Promise<void>;
}

/** The part of the control service that is about ssh keys. */
export function createKeyService({ keys, apps, made }: KeyServiceOptions): Pick<ControlService, KeyMethods> {
  return {
    authorize: async (caller, wanted) => void (await keys.authorize(caller, wanted)),
    getAccess: async (caller) => {
      if (caller === null) return { key: null, may: 'may do everything' };
      const key = await keys.get(caller);
      return { key: { id: key.id, name: key.name }, may: describeGrant(key) };
    },
    openRepository: async (name, { service, caller }) => {
      const key = caller === null ? null : await keys.get(caller);
      const app = isAppName(name) ? apps.find(name) : null;
      const creates = service === 'receive-pack' && app === null && key !== null;
      if (creates && mayDo(key, { right: 'create' })) {
        const created = await apps.create(name);
        await keys.grant(key, name);
        await made(name);
        return { repository: created.paths.repository, created: true };
      }
      const right = service === 'receive-pack' ? 'push' : 'see';
      // Judged before it is looked for: what is not the key's is refused in the same words, there or not.
      if (key !== null) await keys.authorize(key.id, { right, app: name });
      if (app !== null) return { repository: app.paths.repository, created: false };
      throw new FnrunError('FN_NO_SUCH_APP', `There is no app ${JSON.stringify(name)}`, {
        hint: `have it made on the server: fnrun apps create ${name}, or use a key that may (fnrun keys add --create)`,
      });
    },
    listKeys: async () => (await keys.list()).map(presentKey),
    addKey: async (key) => presentKey(await keys.add(key)),
    removeKey: async (name) => await keys.remove(name),
  };
}

/** Tells which apps the caller gets to see. */
export async function visibleTo(keys: Keys, caller: Caller): Promise<(app: string) => boolean> {
  if (caller === null) return () => true;
  const key = await keys.get(caller);
  return (app) => hasApp(key, app);
}

function presentKey({ id, name, type, fingerprint, createdAtMs, ...rest }: KeyRecord): KeyBody {
  const { apps, branches, create, readOnly, admin } = rest;
  const createdAt = new Date(createdAtMs).toISOString();
  return { id, name, type, fingerprint, apps, branches, create, readOnly, admin, createdAt };
}
