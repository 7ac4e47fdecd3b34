import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildProblem, BuildSuccess } from '../builder/build.ts';
import { type ErrorCode, FnrunError } from '../runtime/contract/errors.ts';
import type { BootCheckEntry } from '../runtime/contract/ipc.ts';
import type { Manifest } from '../runtime/contract/manifest.ts';
import type { Account } from './account/account.ts';
import { tell, tellBuilt, tellChecked } from './account/lines.ts';
import { type DeployContext, type ManagedApp, releaseRef } from './context.ts';
import { Rejection } from './rejection.ts';

/** A tree to make a candidate of. */
export interface CandidateOptions {
  /** The exported tree. */
  sourceDir: string;
  account: Account;
  /** Called as the work goes on; ends up in the deployment's record. */
  onStep: (step: 'build' | 'check') => void;
}

/** A release that is built and passed its boot check. */
export interface Candidate {
  release: string;
  functions: number;
  domains: string[];
  /** Whether the app host has it loaded beside the live release. */
  loaded: boolean;
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
  const built = await buildTree(context, app, options);
  tellBuilt(options.account, built);
  const { functions, domains } = built.manifest;
  const candidate = { release: built.release, functions: functions.length, domains };
  if (built.release === app.live?.release) {
    tell(options.account, 'boot check', 'not needed: this release is the live one');
    return { ...candidate, loaded: false };
  }
  try {
    await checkRelease(context, app, { built, options });
  } catch (error) {
    await app.host.discard(built.release).catch(() => {});
    if (!built.reused) await rm(built.dir, { recursive: true, force: true });
    throw error;
  }
  return { ...candidate, loaded: true };
}

async function buildTree(context: DeployContext, app: ManagedApp, options: CandidateOptions): Promise<BuildSuccess> {
  const { account, sourceDir, onStep } = options;
  onStep('build');
  const built = await context.build({
    sourceDir,
    releasesDir: app.paths.releases,
    cacheDir: app.paths.cache,
    signal: context.signal,
    onProgress: (line) => account.write(line),
  });
  if (built.warnings.length > 0)
    account.write(context.formatProblems(built.warnings, { color: account.color, kind: 'warning' }));
  if (!built.ok) throw rejection(context, { problems: built.problems, account, what: 'does not build' });
  return built;
}

async function checkRelease(
  context: DeployContext,
  app: ManagedApp,
  { built, options }: { built: BuildSuccess; options: CandidateOptions },
): Promise<void> {
  const { account, sourceDir, onStep } = options;
  onStep('check');
  const startedMs = performance.now();
  const entries = await loadAll(app, built);
  const tookMs = performance.now() - startedMs;
  const failed = entries.filter((entry) => entry.error !== null);
  if (failed.length > 0) {
    const problems = await Promise.all(
      failed.map((entry) => problemOfEntry(entry, { sourceDir, manifest: built.manifest })),
    );
    throw rejection(context, { problems, account, what: 'does not load' });
  }
  for (const { name, inspection } of entries) {
    for (const warning of inspection?.warnings ?? []) tell(account, 'warning', `${name}: ${warning}`);
  }
  await writeInspections(built, entries);
  tellChecked(account, { entries, tookMs });
}

async function loadAll(app: ManagedApp, built: BuildSuccess): Promise<BootCheckEntry[]> {
  try {
    return (await app.host.load(releaseRef(app, built.release), { check: true })).functions;
  } catch (cause) {
    if (!(cause instanceof FnrunError) || cause.code !== 'FN_HOST_FAILED') throw cause;
    const names = built.changed.slice(0, 5).join(', ');
    throw new Rejection(`${cause.message} while the functions were loaded; what was live goes on`, {
      hint: `look for what ends a process in what changed${names === '' ? '' : ` (${names})`}: process.kill, native addons, memory`,
    });
  }
}

/** Completes the release's manifest by what loading the functions told about them. */
export async function writeInspections(
  release: { dir: string; manifest: Manifest },
  entries: readonly BootCheckEntry[],
): Promise<void> {
  const known = new Map(entries.map((entry) => [entry.name, entry.inspection]));
  const functions = release.manifest.functions.map((fn) => ({
    ...fn,
    inspection: known.get(fn.name) ?? fn.inspection,
  }));
  const file = join(release.dir, 'manifest.json');
  const temporary = `${file}.new`;
  await writeFile(temporary, `${JSON.stringify({ ...release.manifest, functions }, null, 2)}\n`, { flush: true });
  await rename(temporary, file);
}

/** A function that did not load, as a problem of its source. */
export async function problemOfEntry(
  entry: BootCheckEntry,
  { sourceDir, manifest }: { sourceDir: string; manifest: Manifest },
): Promise<BuildProblem> {
  const error = entry.error;
  const file = error?.file ?? manifest.functions.find((fn) => fn.name === entry.name)?.source ?? null;
  const line = (error?.file ?? null) === null ? null : (error?.line ?? null);
  return {
    code: (error?.code ?? 'FN_LOAD_FAILED') as ErrorCode,
    message: error?.message ?? 'The function did not load',
    file,
    line,
    column: line === null ? null : (error?.column ?? null),
    lineText: file === null || line === null ? null : await readLine(join(sourceDir, file), line),
    length: null,
    hint: null,
  };
}

function rejection(
  context: DeployContext,
  { problems, account, what }: { problems: readonly BuildProblem[]; account: Account; what: string },
): Rejection {
  const count = problems.length === 1 ? '1 error' : `${problems.length} errors`;
  return new Rejection(`it ${what} (${count}); nothing changed, what was live goes on`, {
    details: context.formatProblems(problems, { color: account.color }),
    hint: `mend what is shown above, commit, push again`,
    record: recordOf(problems),
  });
}

function recordOf(problems: readonly BuildProblem[]): string {
  const [first] = problems;
  if (first === undefined) return 'The build failed';
  const place = [first.file, first.line, first.column].filter((part) => part !== null).join(':');
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return `${place === '' ? '' : `${place}: `}${first.message.split('\n', 1)[0]}${more}`;
}

async function readLine(file: string, line: number): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).split(/\r?\n/)[line - 1] ?? null;
  } catch {
    return null;
  }
}
