import { join } from 'node:path';
import { mkdir, rm } from 'node:fs/promises';
import type { ReceiveBody, RefUpdate } from '../../router/control/types.ts';
import { Account } from '../account/account.ts';
import { tell } from '../account/lines.ts';
import { type Candidate, prepareCandidate } from '../candidate.ts';
import type { DeployContext, ManagedApp } from '../context.ts';
import { beginDeployment, type Progress } from '../deployment.ts';
import { deployLimits } from '../../runtime/contract/limits.ts';
import { exportTree, readCommitInfo } from '../git/export.ts';
import { isAncestor, isZero, readRef, refMoved } from '../git/refs.ts';
import type { Quarantine } from '../git/run.ts';
import { listTree } from '../git/tree.ts';
import { Rejection } from '../rejection.ts';
import { tellFailure } from '../account/failure.ts';
import { afterSwitch, switchTo } from '../switch.ts';
import { forcePushRefusal, judgeUpdates, overtakenRefusal, productionBranch } from './updates.ts';

/** A push as the pre-receive hook hands it over. */
export interface Push extends Omit<ReceiveBody, 'quarantine'> {
  /** Null for a push that brings no objects: a deletion, or commits that are there already. */
  quarantine: Quarantine | null;
  account: Account;
  /** Aborts when the hook is gone. */
  gone: AbortSignal;
}

/**
 * Decides on a push. `push.account` ends with `ok` when git may move the refs; for the
 * production branch a candidate is built and checked by then. The work goes on after that:
 * as soon as the ref has moved, the candidate goes live (told in `app.activation.account`).
 * Never rejects.
 */
export async function receivePush(context: DeployContext, app: ManagedApp, push: Push): Promise<void> {
  try {
    const branches = await existingBranches(app);
    const production = productionBranch(branches, push.updates);
    const verdicts = judgeUpdates(push.updates, { app: app.name, production });
    const refused = verdicts.find((verdict) => verdict.kind === 'reject');
    if (refused !== undefined) throw new Rejection(refused.line, refused);
    for (const verdict of verdicts) if (verdict.kind === 'store') tell(push.account, verdict.label, verdict.line);
    const deploy = verdicts.find((verdict) => verdict.kind === 'deploy');
    if (deploy === undefined) push.account.end(true);
    else await deployUpdate(context, app, { push, update: deploy.update });
  } catch (error) {
    tellFailure(push.account, error);
    push.account.end(false);
  }
}

async function deployUpdate(
  context: DeployContext,
  app: ManagedApp,
  { push, update }: { push: Push; update: RefUpdate },
): Promise<void> {
  const { account } = push;
  const { build: sourcesDir, releases: releasesDir, cache: cacheDir } = app.paths;
  context.warmBuild({ sourcesDir, releasesDir, cacheDir });
  const onWait = (): void => tell(account, 'waiting', `for another deployment of ${app.name} to end`);
  await app.lane.run(
    async () => {
      await refuseOvertaken(app, update);
      app.production = update.ref;
      const progress = await beginDeployment(context, app, { ...update, commit: update.new, source: 'push', account });
      await tellTakenBack(context, app, account);
      let candidate: Candidate | null = null;
      try {
        candidate = await makeCandidate(context, app, { push, update, progress });
        if (push.gone.aborted)
          throw new Rejection('the pusher has gone before it was accepted', { hint: 'push again' });
        await progress.accept(candidate);
      } catch (error) {
        if (candidate?.loaded === true) await app.host.discard(candidate.release).catch(() => {});
        await describeCommit(update.new, { app, push, progress });
        await progress.fail(error, account);
        account.end(false);
        return;
      }
      await awaitRef(context, app, { push, update, progress, candidate });
    },
    { onWait },
  );
}

/** Whoever pushes next is to know that what was pushed before did not last. */
async function tellTakenBack(context: DeployContext, app: ManagedApp, account: Account): Promise<void> {
  const newest = await context.store.listDeployments(app.name, { limit: deployLimits.laneWaiting });
  const last = newest.find(({ source, state }) => source === 'push' && state === 'succeeded');
  if (last?.note != null) tell(account, 'note', `release ${last.release} was ${last.note}`);
}

/** Gives the record of a push that failed before its tree was exported the subject and the author. */
async function describeCommit(
  commit: string,
  { app, push, progress }: { app: ManagedApp; push: Push; progress: Progress },
): Promise<void> {
  if (progress.deployment.author !== '') return;
  const { quarantine } = push;
  const info = await readCommitInfo(commit, { repository: app.paths.repository, quarantine }).catch(() => null);
  if (info !== null) progress.describe(info);
}

/** Exports, builds and checks; resolves to a candidate that may go live. */
async function makeCandidate(
  context: DeployContext,
  app: ManagedApp,
  { push, update, progress }: { push: Push; update: RefUpdate; progress: Progress },
): Promise<Candidate> {
  const { account } = push;
  const { repository } = app.paths;
  const dir = join(app.paths.build, progress.deployment.id);
  const git = { repository, quarantine: push.quarantine, signal: context.signal };
  await mkdir(app.paths.build, { recursive: true });
  try {
    const [files] = await Promise.all([listTree(update.new, git), refuseForced(update, { app, push })]);
    progress.describe(await exportTree(update.new, { ...git, files, dir }));
    return await prepareCandidate(context, app, {
      sourceDir: dir,
      commit: update.new,
      account,
      onStep: (step) => progress.enter(step),
    });
  } finally {
    // Nobody waits for it: the folder is this deployment's own, and leftovers are swept at start.
    rm(dir, { recursive: true, force: true }).catch((error: Error) => context.log(`${app.name}: ${error.message}`));
  }
}

/** Lets git move the ref, and switches when it has. */
async function awaitRef(
  context: DeployContext,
  app: ManagedApp,
  { push, update, progress, candidate }: { push: Push; update: RefUpdate; progress: Progress; candidate: Candidate },
): Promise<void> {
  const account = new Account({ color: push.account.color, redact: (text) => app.redaction.text(text) });
  app.activation = { commit: update.new, account };
  progress.follow(account);
  const moved = refMoved(app.paths.repository, { ref: update.ref, commit: update.new, signal: context.signal });
  push.account.end(true);
  try {
    if (!(await moved))
      throw new Rejection('git did not move the ref after the push was accepted', { hint: 'push again' });
    progress.enter('activate');
    await switchTo(context, app, {
      ...candidate,
      deployment: progress.deployment,
      account,
      startedAtMs: push.startedAtMs,
    });
  } catch (error) {
    if (candidate.loaded) await app.host.discard(candidate.release).catch(() => {});
    await progress.fail(error, account);
    account.end(false);
    return;
  }
  account.end(true);
  await progress.saveAccount().catch(() => {});
  await afterSwitch(context, app);
}

async function existingBranches(app: ManagedApp): Promise<Set<string>> {
  const names = ['refs/heads/main', 'refs/heads/master'];
  const at = await Promise.all(names.map((name) => readRef(app.paths.repository, name)));
  return new Set(names.filter((_, index) => at[index] !== null));
}

async function refuseOvertaken(app: ManagedApp, update: RefUpdate): Promise<void> {
  const at = await readRef(app.paths.repository, update.ref);
  if ((at ?? '') === (isZero(update.old) ? '' : update.old)) return;
  const refusal = overtakenRefusal(update, at);
  throw new Rejection(refusal.line, refusal);
}

async function refuseForced(update: RefUpdate, { app, push }: { app: ManagedApp; push: Push }): Promise<void> {
  if (isZero(update.old)) return;
  const { repository } = app.paths;
  if (await isAncestor(update.old, update.new, { repository, quarantine: push.quarantine })) return;
  const refusal = forcePushRefusal(update, app.name);
  throw new Rejection(refusal.line, refusal);
}
