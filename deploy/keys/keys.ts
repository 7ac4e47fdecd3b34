import { randomBytes } from 'node:crypto';
import type { AccessWanted, Caller } from '../../router/control/service.ts';
import type { AddKeyBody } from '../../router/control/key-types.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { keyLimits } from '../../runtime/contract/limits.ts';
import { checkAppName } from '../app-name.ts';
import { Lane } from '../lane.ts';
import type { KeyRecord, Store } from '../store/store.ts';
import {
  foreignLines,
  readAuthorizedKeys,
  type ReceiveProgram,
  renderKeyLine,
  writeAuthorizedKeys,
} from './authorized-keys.ts';
import { describeGrant, mayDo } from './grant.ts';
import { parsePublicKey } from './public-key.ts';

/** What the keys of a home are made with. */
export interface KeysOptions {
  store: Store;
  /** The file that sshd reads. */
  file: string;
  program: ReceiveProgram;
  /** ms since the epoch. */
  now: () => number;
  /** The branch of an app that deploys; null when there is no such app. */
  productionOf: (app: string) => string | null;
}

const keyName = /^[A-Za-z0-9](?:[A-Za-z0-9._@-]*[A-Za-z0-9])?$/;
const branchName = /^[^\s\\:?*[^~\p{Cc}]+(?:\/\*)?$/u;

/** The ssh keys of a home: who they are, what they may do, and the file that sshd reads. */
export class Keys {
  readonly #options: KeysOptions;
  /** One change after the other: the file shows all of them. */
  readonly #lane = new Lane();

  constructor(options: KeysOptions) {
    this.#options = options;
  }

  async list(): Promise<KeyRecord[]> {
    return await this.#options.store.listKeys();
  }

  /** The key that a request names. Rejects with FN_FORBIDDEN when there is none: it has been removed. */
  async get(id: string): Promise<KeyRecord> {
    const key = await this.#options.store.getKey(id);
    if (key !== null) return key;
    throw new FnrunError('FN_FORBIDDEN', 'This ssh key is not one of this server any more', {
      hint: 'ask whoever runs the server to add it again: fnrun keys add',
    });
  }

  /** The name of the key that a request names; null for the server's own user. Rejects with FN_FORBIDDEN. */
  async nameOf(caller: Caller): Promise<string | null> {
    return caller === null ? null : (await this.get(caller)).name;
  }

  /** Rejects with FN_FORBIDDEN. Resolves to the key. */
  async authorize(id: string, wanted: AccessWanted): Promise<KeyRecord> {
    const key = await this.get(id);
    const production = ('app' in wanted ? this.#options.productionOf(wanted.app) : null) ?? 'main';
    if (mayDo(key, wanted, { production })) return key;
    throw forbidden(key, wanted);
  }

  /** Gives the key that made an app the right to push to it. */
  async grant(key: KeyRecord, app: string): Promise<void> {
    if (key.apps !== null && !key.admin) await this.#options.store.grantApp(key.id, app);
  }

  /** Rejects with FN_BAD_KEY, FN_KEY_EXISTS, FN_USAGE or FN_BAD_APP_NAME. */
  async add({ publicKey, ...given }: AddKeyBody): Promise<KeyRecord> {
    const { store, now } = this.#options;
    const parsed = parsePublicKey(publicKey);
    checkNames(given);
    return await this.#lane.run(async () => {
      const known = await store.listKeys();
      await this.#refuseKnown(known, { name: given.name, ...parsed });
      const apps = given.apps === null ? null : [...new Set(given.apps)].toSorted();
      const key = { ...given, apps, ...parsed, id: randomBytes(8).toString('hex'), createdAtMs: now() };
      await store.addKey(key);
      await this.#write();
      return key;
    });
  }

  /** From then on the key can do nothing, not even in what it has open. Rejects with FN_NO_SUCH_KEY. */
  async remove(name: string): Promise<void> {
    await this.#lane.run(async () => {
      if (!(await this.#options.store.removeKey(name))) {
        throw new FnrunError('FN_NO_SUCH_KEY', `There is no key ${JSON.stringify(name)}`, { hint: 'see: fnrun keys' });
      }
      await this.#write();
    });
  }

  /** Writes the file anew, since Node, fnrun or the home may have moved. */
  async refresh(): Promise<void> {
    await this.#lane.run(() => this.#write());
  }

  async #write(): Promise<void> {
    const { store, file, program } = this.#options;
    const lines = (await store.listKeys()).map((key) => renderKeyLine(key, program));
    await writeAuthorizedKeys(file, { home: program.home, lines });
  }

  async #refuseKnown(known: readonly KeyRecord[], { name, blob }: { name: string; blob: string }): Promise<void> {
    if (known.length >= keyLimits.keys) {
      throw new FnrunError('FN_USAGE', `A server has at most ${keyLimits.keys} keys`, { hint: 'remove some first' });
    }
    if (known.some((key) => key.name === name)) {
      throw new FnrunError('FN_KEY_EXISTS', `There is a key ${name} already`, {
        hint: `choose another name, or remove it first: fnrun keys remove ${name}`,
      });
    }
    const same = known.find((key) => key.blob === blob);
    if (same !== undefined) {
      throw new FnrunError('FN_KEY_EXISTS', `This key is there already, named ${same.name}`, {
        hint: `to change what it may do: fnrun keys remove ${same.name}, then add it again`,
      });
    }
    const { file, program } = this.#options;
    // sshd takes the first line that fits, so such a key would still get a shell.
    if (foreignLines(await readAuthorizedKeys(file), program.home).includes(blob)) {
      throw new FnrunError('FN_KEY_EXISTS', `This key has a line of its own in ${file}, which gives it a shell`, {
        hint: 'remove that line first, or use another key',
      });
    }
  }
}

function checkNames({ name, apps, branches }: Pick<AddKeyBody, 'name' | 'apps' | 'branches'>): void {
  if (!keyName.test(name) || name.length > keyLimits.nameChars) {
    throw new FnrunError('FN_USAGE', `${JSON.stringify(name.slice(0, 80))} cannot be the name of a key`, {
      hint: `use up to ${keyLimits.nameChars} letters, digits and . _ @ - inside, for example ann@laptop`,
    });
  }
  for (const app of apps ?? []) checkAppName(app);
  const odd = branches?.find((branch) => !branchName.test(branch) || branch.length > keyLimits.branchChars);
  if (odd !== undefined) {
    throw new FnrunError('FN_USAGE', `${JSON.stringify(odd.slice(0, 80))} is no branch`, {
      hint: 'name a branch, for example main, or all below a name: feature/*',
    });
  }
}

function forbidden(key: KeyRecord, wanted: AccessWanted): FnrunError {
  const may = describeGrant(key);
  return new FnrunError('FN_FORBIDDEN', `The key ${JSON.stringify(key.name)} may not ${deed(wanted)}: it ${may}`, {
    hint: 'ask whoever runs the server for another key: fnrun keys add',
  });
}

function deed(wanted: AccessWanted): string {
  if ('app' in wanted) return `${{ see: 'look at', push: 'push to', change: 'change' }[wanted.right]} ${wanted.app}`;
  return wanted.right === 'create' ? 'make apps' : 'do this';
}
