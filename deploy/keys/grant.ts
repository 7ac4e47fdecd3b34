import type { AccessWanted } from '../../router/control/service.ts';
import type { KeyGrant } from '../../router/control/key-types.ts';
import { ownerOf } from '../previews/preview-name.ts';
import { branchName } from '../push/updates.ts';

/** Whether a key with `grant` may do what is wanted. `production` is the app's branch that deploys. */
export function mayDo(
  grant: KeyGrant,
  wanted: AccessWanted,
  { production }: { production: string } = { production: 'main' },
): boolean {
  if (grant.admin) return true;
  switch (wanted.right) {
    case 'own':
      return true;
    case 'admin':
      return false;
    case 'create':
      return grant.create && !grant.readOnly;
    case 'see':
      return hasApp(grant, wanted.app);
    case 'push':
      return hasApp(grant, wanted.app) && !grant.readOnly;
    case 'change':
      // What is live is the production branch's: whoever may not push to it must not change it by another way.
      return hasApp(grant, wanted.app) && !grant.readOnly && hasBranch(grant, production);
  }
}

/** Whether the key has the app, or the one that it is a preview of, whatever it may do with it. */
export function hasApp({ admin, apps }: KeyGrant, app: string): boolean {
  return admin || apps === null || apps.includes(ownerOf(app));
}

/** Whether a push may move `ref`, a full name. A key that is held to branches moves no tags. */
export function mayMove(grant: KeyGrant, ref: string): boolean {
  if (grant.admin) return true;
  const branch = branchName(ref);
  return branch === null ? grant.branches === null && !grant.readOnly : hasBranch(grant, branch) && !grant.readOnly;
}

function hasBranch({ branches }: KeyGrant, branch: string): boolean {
  if (branches === null) return true;
  return branches.some((one) => (one.endsWith('/*') ? branch.startsWith(one.slice(0, -1)) : branch === one));
}

/** What a key may do, as the end of a sentence that begins with its name. */
export function describeGrant(grant: KeyGrant): string {
  if (grant.admin) return 'may do everything with every app, and manage keys';
  const create = grant.create && !grant.readOnly ? ['make new apps by pushing to them'] : [];
  if (grant.apps?.length === 0) return create.length === 0 ? 'may do nothing' : `may ${create[0]}`;
  const apps = grant.apps === null ? 'every app' : listed(grant.apps);
  if (grant.readOnly) return `may clone and look at ${apps}`;
  const branches = grant.branches === null ? '' : ` (only ${listed(grant.branches)})`;
  return `may ${[`push to ${apps}${branches}`, ...create].join(', and ')}`;
}

function listed(names: readonly string[]): string {
  const shown = names.length > 5 ? [...names.slice(0, 4), `${names.length - 4} more`] : names;
  return shown.length < 2 ? (shown[0] ?? '') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
