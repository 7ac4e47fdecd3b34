import { join } from 'node:path';
import { mkdir, rm } from 'node:fs/promises';
import { deployLimits } from '../../runtime/contract/limits.ts';
import type { RefUpdate } from '../../router/control/types.ts';
import { Account } from '../account/account.ts';
import { tell } from '../account/lines.ts';
import { type Candidate, prepareCandidate } from '../candidate.ts';
import type { DeployContext, ManagedApp } from '../context.ts';
import { beginDeployment, type Progress } from '../deployment.ts';
import { refuseFullDisk } from '../disk.ts';
import { exportTree, readCommitInfo } from '../git/export.ts';
import { isAncestor, isZero, readRef, refMoved } from '../git/refs.ts';
import { listTree } from '../git/tree.ts';
import { Rejection } from '../rejection.ts';
import { awaitNginx, requestToTell } from '../sites/await-nginx.ts';
import { afterSwitch, serveRelease, tellServed } from '../switch.ts';
import type { Push } from './receive.ts';
import { supersede } from './supersede.ts';
import { forcePushRefusal, overtakenRefusal } from './updates.ts';

/** The push of the production branch, and what becomes of it. */
interface Work {
  push: Push;
  update: RefUpdate;
  progress: Progress;
}

/** Makes one update of the production branch live, or tells why not. Rejects only when it cannot even be recorded. */
export async function deployUpdate(
  context: DeployContext,
  app: ManagedApp,
  { push, update }: { push: Push; update: RefUpdate },
): Promise<void> {
  const { account, gone, quarantine } = push;
  const { build: sourcesDir, releases: releasesDir, cache: cacheDir } = app.paths;
  context.warmBuild({ sourcesDir, releasesDir, cacheDir });
  const progress = await beginDeployment(context, app, {
    ...update,
    commit: update.new,
    source: 'push',
    key: push.key?.name ?? null,
    account,
  });
  const work = { push, update, progress };
  // Without the hook, git has refused the push: what is not accepted yet is for nothing. A client that goes is
  // not noticed, by git neither: its push goes on, and live.
  const leave = (): void => {
    if (progress.deployment.step !== 'command') progress.stop(goneRejection());
  };
  gone.addEventListener('abort', leave, { once: true });
  if (gone.aborted) leave();
  try {
    await supersede(app, { id: progress.deployment.id, commit: update.new, ref: update.ref, quarantine });
    const onWait = (): void => tell(account, 'waiting', `for another deployment of ${app.name} to end`);
    await app.lane.run(() => takeTurn(context, app, work), { onWait, signal: progress.signal });
  } catch (error) {
    // Its turn never came.
    await refuse(app, work, error);
  } finally {
    gone.removeEventListener('abort', leave);
  }
}

async function takeTurn(context: DeployContext, app: ManagedApp, work: Work): Promise<void> {
  const { update, progress } = work;
  let candidate: Candidate | null = null;
  try {
    progress.enter('export');
    await refuseOvertaken(app, update);
    app.production = update.ref;
    await tellTakenBack(context, app, work.push.account);
    candidate = await makeCandidate(context, app, work);
    context.onStep?.('checked');
    // It may have gone while the release command ran, which is not broken off for that.
    if (work.push.gone.aborted) throw goneRejection();
    await progress.accept(candidate);
  } catch (error) {
    if (candidate?.loaded === true) await app.host.discard(candidate.release).catch(() => {});
    await refuse(app, work, error);
    return;
  }
  await awaitRef(context, app, { ...work, candidate });
}

/** Whoever pushes next is to know that what was pushed before did not last. */
async function tellTakenBack(context: DeployContext, app: ManagedApp, account: Account): Promise<void> {
  const newest = await context.store.listDeployments(app.name, { limit: deployLimits.laneWaiting });
  const last = newest.find(({ source, state }) => source === 'push' && state === 'succeeded');
  if (last?.note != null) tell(account, 'note', `release ${last.release} was ${last.note}`);
}

/** Tells the pusher that it is not accepted, and why. */
async function refuse(app: ManagedApp, { push, update, progress }: Work, error: unknown): Promise<void> {
  const { account, quarantine } = push;
  const { repository } = app.paths;
  if (progress.deployment.author === '') {
    // Before its tree was exported: the record shall say all the same what it is about.
    const info = await readCommitInfo(update.new, { repository, quarantine }).catch(() => null);
    if (info !== null) progress.describe(info);
  }
  await progress.fail(error, account);
  account.end(false);
  progress.end(false);
}

/** Exports, builds and checks; resolves to a candidate that may go live. */
async function makeCandidate(context: DeployContext, app: ManagedApp, work: Work): Promise<Candidate> {
  const { push, update, progress } = work;
  const { account } = push;
  const { signal } = progress;
  const dir = join(app.paths.build, progress.deployment.id);
  const git = { repository: app.paths.repository, quarantine: push.quarantine, signal };
  const make = async (): Promise<Candidate> => {
    await mkdir(app.paths.build, { recursive: true });
    const [files] = await Promise.all([listTree(update.new, git), refuseForced(update, { app, push })]);
    await refuseFullDisk(app.paths.root, { bytes: files.reduce((sum, file) => sum + file.bytes, 0) });
    progress.describe(await exportTree(update.new, { ...git, files, dir }));
    const onStep = (step: 'build' | 'check' | 'command'): void => progress.enter(step);
    return await prepareCandidate(context, app, { sourceDir: dir, commit: update.new, account, signal, onStep });
  };
  const onWait = (): void => tell(account, 'waiting', 'for a build of another app to end');
  try {
    return await context.builds.run(make, { signal, onWait });
  } finally {
    // Nobody waits for it: the folder is this deployment's own, and leftovers are swept at start.
    rm(dir, { recursive: true, force: true }).catch((error: Error) => context.log(`${app.name}: ${error.message}`));
  }
}

/** Lets git move the ref, and switches when it has. */
async function awaitRef(
  context: DeployContext,
  app: ManagedApp,
  { push, update, progress, candidate }: Work & { candidate: Candidate },
): Promise<void> {
  const account = new Account({ color: push.account.color, redact: (text) => app.redaction.text(text) });
  app.activation = { commit: update.new, account };
  progress.follow(account);
  const moved = refMoved(app.paths.repository, { ref: update.ref, commit: update.new, signal: context.signal });
  push.account.end(true);
  const { deployment } = progress;
  const { startedAtMs } = push;
  const first = app.live === null;
  let served: { finishedAtMs: number };
  try {
    if (!(await moved)) {
      // The next start sees whether git has moved it after all.
      if (context.signal.aborted) return progress.end(false);
      throw new Rejection('git did not move the ref after the push was accepted', { hint: 'push again' });
    }
    progress.enter('activate');
    const stepsMs = () => progress.stepsMs();
    served = await serveRelease(context, app, { ...candidate, deployment, account, stepsMs, startedAtMs });
  } catch (error) {
    if (candidate.loaded) await app.host.discard(candidate.release).catch(() => {});
    await progress.fail(error, account);
    account.end(false);
    progress.end(false);
    return;
  }
  const nginx = await requestToTell(context, app, { first }).catch(() => null);
  const ended = endPush(context, app, { account, progress, release: candidate.release, startedAtMs, nginx, ...served });
  // Where nginx has yet to follow, the pusher waits for that, and nobody else: not the app's next deployment.
  if (nginx === null) await ended;
  await afterSwitch(context, app);
  context.onStep?.('done');
}

/** Who pushes opens the URL next: told when nginx serves it. Never rejects. */
async function endPush(
  context: DeployContext,
  app: ManagedApp,
  { account, progress, nginx, ...served }: Served & { progress: Progress; nginx: number | null },
): Promise<void> {
  const waiting = nginx === null ? 0 : awaitNginx(context, app, { request: nginx, account });
  const nginxMs = await Promise.resolve(waiting).catch((error: Error) => {
    context.log(`${app.name}: cannot tell whether nginx has followed: ${error.message}`);
    return 0;
  });
  tellServed(context, app, { account, ...served, finishedAtMs: served.finishedAtMs + nginxMs });
  account.end(true);
  progress.end(true);
  context.onStep?.('told');
}

/** What is left to tell of a push that is live. */
type Served = Parameters<typeof tellServed>[2];

function goneRejection(): Rejection {
  return new Rejection('the pusher has gone before it was accepted', { hint: 'push again' });
}

async function refuseOvertaken(app: ManagedApp, update: RefUpdate): Promise<void> {
  const at = await readRef(app.paths.repository, update.ref);
  if ((at ?? '') === (isZero(update.old) ? '' : update.old)) return;
  const refusal = overtakenRefusal(update, at);
  throw new Rejection(refusal.line, refusal);
}

async function refuseForced(update: RefUpdate, { app, push }: { app: ManagedApp; push: Push }): Promise<void> {
  // Whoever works on a branch may rewrite it.
  if (isZero(update.old) || app.previewOf !== null) return;
  const { repository } = app.paths;
  if (await isAncestor(update.old, update.new, { repository, quarantine: push.quarantine })) return;
  const refusal = forcePushRefusal(update, app.name);
  throw new Rejection(refusal.line, refusal);
}
