import type { RefUpdate } from '../../router/control/types.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { deployLimits } from '../../runtime/contract/limits.ts';
import { isZero, short } from '../git/refs.ts';

/** What is to be done about one ref of a push. */
export type Verdict =
  | { kind: 'deploy'; update: RefUpdate }
  /** A branch that gets a preview. */
  | { kind: 'preview'; update: RefUpdate }
  /** Accepted without further ado; `label` and `line` tell the pusher. */
  | { kind: 'store'; update: RefUpdate; label: string; line: string }
  | { kind: 'reject'; update: RefUpdate; line: string; hint: string };

/** What the verdict on a push depends on. */
export interface PushContext {
  app: string;
  /** Full name of the production branch. */
  production: string;
  /** Whether branches get previews. @default false */
  previews?: boolean;
}

const main = 'refs/heads/main';
const master = 'refs/heads/master';

/**
 * The branch that deploys: main; master while there is no main. In an empty repository it is
 * whichever of the two is pushed.
 */
export function productionBranch(branches: ReadonlySet<string>, pushed: readonly RefUpdate[] = []): string {
  if (branches.has(main)) return main;
  const created = new Set(pushed.filter((update) => !isZero(update.new)).map((update) => update.ref));
  if (created.has(main)) return main;
  return branches.has(master) || created.has(master) ? master : main;
}

/** Decides on each ref of a push by its name and kind alone; history is looked at later. */
export function judgeUpdates(updates: readonly RefUpdate[], context: PushContext): Verdict[] {
  return updates.map((update) => judge(update, { ...context, alone: updates.length === 1 }));
}

function judge(
  update: RefUpdate,
  { app, production, previews = false, alone }: PushContext & { alone: boolean },
): Verdict {
  const name = branchName(update.ref);
  const deletion = isZero(update.new);
  if (update.ref === production && deletion) {
    return {
      kind: 'reject',
      update,
      line: `${name} is the production branch of ${app} and cannot be deleted`,
      hint: `to take the app down: fnrun apps remove ${app}`,
    };
  }
  if (update.ref === production) return { kind: 'deploy', update };
  const what = describeRef(update.ref);
  if (deletion) return { kind: 'store', update, label: 'deleted', line: what };
  if (name !== null && previews) {
    if (alone) return { kind: 'preview', update };
    return { kind: 'store', update, label: 'stored', line: `${what}; pushed alone it gets a preview` };
  }
  return { kind: 'store', update, label: 'stored', line: `${what}, not deployed: only ${branchName(production)} is` };
}

function describeRef(ref: string): string {
  const branch = branchName(ref);
  if (branch !== null) return `branch ${branch}`;
  return ref.startsWith('refs/tags/') ? `tag ${ref.slice('refs/tags/'.length)}` : ref;
}

/** The refusal of a push that would drop commits from the production branch. */
export function forcePushRefusal(update: RefUpdate, app: string): { line: string; hint: string } {
  return {
    line: `${branchName(update.ref)} cannot be rewritten: ${short(update.new)} does not contain ${short(update.old)}, which is there`,
    hint: `to go back to an older release: fnrun rollback ${app}; to undo a commit: git revert`,
  };
}

/** The refusal of a push that another one has overtaken. */
export function overtakenRefusal(update: RefUpdate, at: string | null): { line: string; hint: string } {
  const name = branchName(update.ref) ?? update.ref;
  return {
    line: `${name} has moved to ${at === null ? 'nothing' : short(at)} while this push was waiting: another push was first`,
    hint: `git pull, then push again`,
  };
}

/** Throws FN_BAD_BRANCH for what git would not take as a branch (git check-ref-format), and for what would be odd as a path. */
export function checkBranchName(branch: string): void {
  const bad = /^[-/.]|[\s\p{Cc}~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(\/|$)|[/.]$/u;
  if (branch !== '' && branch !== '@' && Buffer.byteLength(branch) <= deployLimits.branchBytes && !bad.test(branch))
    return;
  throw new FnrunError('FN_BAD_BRANCH', `${JSON.stringify(branch)} cannot be a branch`, {
    hint: 'name it as in git, without refs/heads/: main, release/live',
  });
}

/** `main` for `refs/heads/main`; null for refs that are no branches. */
export function branchName(ref: string): string | null {
  return ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : null;
}
