import { rm } from 'node:fs/promises';
import type { BuildProblem, BuildSuccess } from '../builder/build.ts';
import { FnrunError } from '../runtime/contract/errors.ts';
import type { LoadResult } from '../runtime/contract/ipc.ts';
import type { Account } from './account/account.ts';
import { ms, tell, tellBuilt, tellChecked } from './account/lines.ts';
import { problemOfEntry, warningsOf, writeInspections } from './boot-check.ts';
import type { DeployContext, ManagedApp } from './context.ts';
import { guardDatabaseBudget } from './database/guard-budget.ts';
import { releaseId } from './env/release-id.ts';
import { migrateApp, readAppMigrations } from './migrations/migrate-app.ts';
import { problemRecord } from './problem-record.ts';
import { loadRelease, openEnv, type ReleaseName } from './release-ref.ts';
import { Rejection, whatGoesOn } from './rejection.ts';
import { unlessAborted } from './unless-aborted.ts';
import { runReleaseCommand } from './release-command.ts';
import { countRequests, failedChecks } from './switch.ts';
import type { RequestCount } from './switch.ts';

/** A tree to make a candidate of. */
export interface CandidateOptions {
  /** The exported tree. */
  sourceDir: string;
  commit: string;
  account: Account;
  /** Called as the work goes on; ends up in the deployment's record. */
  onStep: (step: 'build' | 'check' | 'command') => void;
  /** Aborts when the deployment is to end. */
  signal: AbortSignal;
}

/** A release that is built and passed its boot check. */
export interface Candidate {
  release: string;
  /** What it consists of: the build, and the app's current environment. */
  build: string;
  env: string | null;
  functions: number;
  domains: string[];
  /** Whether the app host has it loaded beside the live release. */
  loaded: boolean;
  /** The app's requests when the check began; null when no process ran. */
  requests: RequestCount | null;
}

/**
 * Builds a tree and loads every function of it in a worker beside the live release.
 * Rejects with a Rejection that shows all problems when either fails; nothing is left then.
 */
export async function prepareCandidate(
  context: DeployContext,
  app: ManagedApp,
  options: CandidateOptions,
): Promise<Candidate> {
  const env = (await context.store.getApp(app.name))?.env ?? null;
  // Before anything is told: a value that was committed shows in the code line of a build error.
  await openEnv(context, app, env);
  const built = await buildTree(context, app, options);
  tellBuilt(options.account, built);
  const { functions, domains } = built.manifest;
  await guardDatabaseBudget(context, app, { built, env, account: options.account });
  const requests = await countRequests(app);
  const release = { id: releaseId({ build: built.release, env }), build: built.release, env };
  const { id, ...parts } = release;
  const candidate = { release: id, ...parts, functions: functions.length, domains, requests };
  if (id === app.live?.release) {
    tell(options.account, 'boot check', 'not needed: this release is the live one');
    await runCommandOf(context, app, { release, built, options });
    return { ...candidate, loaded: false };
  }
  try {
    await checkRelease(context, app, { release, built, options });
    await runCommandOf(context, app, { release, built, options });
    await askChecks(app, { release: id, account: options.account });
  } catch (error) {
    await app.host.discard(id).catch(() => {});
    if (!built.reused) await rm(built.dir, { recursive: true, force: true });
    throw error;
  }
  return { ...candidate, loaded: true };
}

async function buildTree(context: DeployContext, app: ManagedApp, options: CandidateOptions): Promise<BuildSuccess> {
  const { account, sourceDir, onStep, signal } = options;
  onStep('build');
  const built = await context.build({
    sourceDir,
    releasesDir: app.paths.releases,
    cacheDir: app.paths.cache,
    // A release that a record names must be there after a power loss.
    durable: true,
    signal,
    onProgress: (line) => account.note(line),
  });
  if (built.warnings.length > 0)
    account.write(context.formatProblems(built.warnings, { color: account.color, kind: 'warning' }));
  if (!built.ok) throw rejection(context, app, { problems: built.problems, account, what: 'does not build' });
  return built;
}

async function checkRelease(
  context: DeployContext,
  app: ManagedApp,
  { release, built, options }: { release: ReleaseName; built: BuildSuccess; options: CandidateOptions },
): Promise<void> {
  const { account, sourceDir, onStep } = options;
  onStep('check');
  const startedMs = performance.now();
  const { functions: entries, newProcess = false } = await loadAll(context, app, {
    release,
    built,
    signal: options.signal,
  });
  const tookMs = performance.now() - startedMs;
  const failed = entries.filter((entry) => entry.error !== null);
  if (failed.length > 0) {
    const problems = await Promise.all(
      failed.map((entry) => problemOfEntry(entry, { sourceDir, manifest: built.manifest })),
    );
    throw rejection(context, app, { problems, account, what: 'does not load' });
  }
  for (const warning of warningsOf(entries)) tell(account, 'warning', warning);
  const own = release.id === built.release ? {} : { release: release.id };
  await writeInspections(built, entries, { durable: true, ...own });
  tellChecked(account, { entries, tookMs });
  if (newProcess) tell(account, 'process', 'a new one takes over: permissions, threads or open files are others now');
}

async function runCommandOf(
  context: DeployContext,
  app: ManagedApp,
  { release, built, options }: { release: ReleaseName; built: BuildSuccess; options: CandidateOptions },
): Promise<void> {
  const migrations = await readAppMigrations(app, options.sourceDir, built.manifest);
  if (built.releaseCommand === null && migrations === null) return;
  options.onStep('command');
  const { commit, account, signal } = options;
  if (migrations !== null) await migrateApp(context, app, { ...migrations, release, commit, account, signal });
  if (built.releaseCommand !== null) await runReleaseCommand(context, app, { release, built, ...options });
}

/** After the release command: what it has prepared (tables, say) is there for the checks. */
async function askChecks(app: ManagedApp, { release, account }: { release: string; account: Account }): Promise<void> {
  const result = await app.host.probe(release);
  if (result.asked === 0) return;
  const [first] = result.failed;
  if (first === undefined) {
    tell(account, 'health', `ok, ${result.asked === 1 ? '1 check' : `${result.asked} checks`} (${ms(result.ms)})`);
    return;
  }
  throw new Rejection(`${failedChecks(result.failed)}; nothing changed, ${whatGoesOn(app)}`, {
    details: result.failed.map(({ name, path, reason }) => `  ${name}: GET ${path} ${reason}`).join('\n'),
    hint: `see what the function said: fnrun logs ${app.name}; mend it, commit, push again`,
    record: `${first.name}: check ${first.path} ${first.reason}`,
  });
}

async function loadAll(
  context: DeployContext,
  app: ManagedApp,
  { release, built, signal }: { release: ReleaseName; built: BuildSuccess; signal: AbortSignal },
): Promise<LoadResult> {
  const loading = loadRelease(context, app, { release, check: true });
  try {
    return await unlessAborted(loading, signal);
  } catch (cause) {
    // Whoever stopped it does not wait for the host, which drops the candidate when it has it.
    if (signal.aborted) void loading.then(() => app.host.discard(release.id)).catch(() => {});
    if (!(cause instanceof FnrunError) || cause.code !== 'FN_HOST_FAILED') throw cause;
    const names = built.changed.slice(0, 5).join(', ');
    throw new Rejection(`${cause.message} while the functions were loaded; ${whatGoesOn(app)}`, {
      hint: `look for what ends a process in what changed${names === '' ? '' : ` (${names})`}: process.kill, native addons, memory`,
    });
  }
}

function rejection(
  context: DeployContext,
  app: ManagedApp,
  { problems, account, what }: { problems: readonly BuildProblem[]; account: Account; what: string },
): Rejection {
  const count = problems.length === 1 ? '1 error' : `${problems.length} errors`;
  return new Rejection(`it ${what} (${count}); nothing changed, ${whatGoesOn(app)}`, {
    details: context.formatProblems(problems, { color: account.color }),
    hint: `mend what is shown above, commit, push again`,
    record: problemRecord(problems),
  });
}
