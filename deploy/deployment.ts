import { randomBytes } from 'node:crypto';
import type { DeploymentSource, DeploymentStep, StepsMs } from '../router/control/types.ts';
import { Account } from './account/account.ts';
import { AccountFile } from './account/account-file.ts';
import { tellFailure } from './account/failure.ts';
import { describeError } from './account/lines.ts';
import type { Candidate } from './candidate.ts';
import type { DeployContext, ManagedApp, Running } from './context.ts';
import type { CommitInfo } from './git/export.ts';
import { accountPath } from './paths.ts';
import { Rejection } from './rejection.ts';
import type { DeploymentRecord } from './store/store.ts';

/** What a deployment is of. */
export interface DeploymentStart {
  commit: string;
  ref: string;
  source: DeploymentSource;
  /** Name of the ssh key that it came by. */
  key: string | null;
  account: Account;
  release?: string;
  info?: CommitInfo;
}

/** A deployment under way, and its record. */
export interface Progress extends Running {
  /** Aborts when it is to end: its reason is what the pusher is told. */
  readonly signal: AbortSignal;
  describe(info: CommitInfo): void;
  /** Notes where it is; on disk only with the outcome, because each write waits for the disk. */
  enter(step: DeploymentStep): void;
  accept(candidate: Candidate): Promise<void>;
  /** Adds an account to the deployment's log. */
  follow(account: Account): void;
  /** How long it was at each step so far. */
  stepsMs(): StepsMs;
  /** Tells why it failed, and records it. Never rejects. */
  fail(error: unknown, account: Account): Promise<void>;
  /** Nothing more will be told; call once at the very end. */
  end(ok: boolean): void;
}

/** Records that a deployment began, and lets others reach it until its end. */
export async function beginDeployment(
  context: DeployContext,
  app: ManagedApp,
  start: DeploymentStart,
): Promise<Progress> {
  const startedAtMs = context.now();
  const deployment: DeploymentRecord = {
    id: deploymentId(startedAtMs),
    app: app.name,
    release: start.release ?? null,
    commit: start.commit,
    subject: start.info?.subject ?? '',
    ref: start.ref,
    author: start.info?.author ?? '',
    source: start.source,
    key: start.key,
    state: 'running',
    step: 'queued',
    startedAtMs,
    finishedAtMs: null,
    durationMs: null,
    stepsMs: {},
    error: null,
    note: null,
  };
  await settleUnrecorded(app);
  await context.store.createDeployment(deployment);
  const progress = new DeploymentProgress({ context, app, deployment });
  progress.follow(start.account);
  app.running.set(deployment.id, progress);
  context.onStep?.('queued');
  return progress;
}

/** Writes the outcomes that could not be written before, if that can be done now. */
async function settleUnrecorded(app: ManagedApp): Promise<void> {
  for (let write = app.unrecorded[0]; write !== undefined; write = app.unrecorded[0]) {
    await write();
    app.unrecorded.shift();
  }
}

class DeploymentProgress implements Progress {
  readonly deployment: DeploymentRecord;
  readonly log = new Account();
  readonly signal: AbortSignal;
  readonly #context: DeployContext;
  readonly #app: ManagedApp;
  readonly #file: AccountFile;
  readonly #ending = new AbortController();
  readonly #stepsMs: StepsMs = {};
  #enteredMs = performance.now();
  #closed = false;

  constructor({ context, app, deployment }: { context: DeployContext; app: ManagedApp; deployment: DeploymentRecord }) {
    this.#context = context;
    this.#app = app;
    this.deployment = deployment;
    this.signal = AbortSignal.any([context.signal, this.#ending.signal]);
    this.#file = new AccountFile(accountPath(app.paths, deployment.id));
    this.log.pipe((line) => this.#file.write(line));
  }

  stop(why: Rejection): boolean {
    if (this.#closed || this.signal.aborted) return false;
    this.#ending.abort(why);
    return true;
  }

  describe(info: CommitInfo): void {
    Object.assign(this.deployment, info);
  }

  enter(step: DeploymentStep): void {
    if (!this.#closed) this.signal.throwIfAborted();
    if (step === 'activate') this.#closed = true;
    this.#note(step);
    this.#context.onStep?.(step);
  }

  async accept({ release, build, env, functions, domains }: Candidate): Promise<void> {
    this.signal.throwIfAborted();
    // From here on it cannot be stopped: what is on disk in a moment must not be taken back.
    this.#closed = true;
    this.#note('accepted');
    Object.assign(this.deployment, { release });
    const { id, author, subject, app } = this.deployment;
    const record = { app, id: release, build, env, createdAtMs: this.#context.now(), functions, domains };
    await this.#context.store.acceptDeployment(id, record, { author, subject, stepsMs: this.stepsMs() });
    this.#context.onStep?.('accepted');
  }

  follow(account: Account): void {
    account.pipe((line) => this.log.write(line));
  }

  stepsMs(): StepsMs {
    return { ...this.#stepsMs, [this.deployment.step]: this.#sinceEntered() };
  }

  async fail(thrown: unknown, account: Account): Promise<void> {
    this.#closed = true;
    const error = this.#reason(thrown);
    tellFailure(account, error);
    const finishedAtMs = this.#context.now();
    const durationMs = finishedAtMs - this.deployment.startedAtMs;
    const rejection = error instanceof Rejection ? error : null;
    const state = rejection?.state ?? 'failed';
    const why = this.#app.redaction.text(rejection?.record ?? describeError(error).line);
    Object.assign(this.deployment, { state, finishedAtMs, durationMs, error: why, stepsMs: this.stepsMs() });
    const { id, app: _app, ref: _ref, commit: _commit, source: _source, startedAtMs: _at, ...patch } = this.deployment;
    const write = (): Promise<void> => this.#context.store.updateDeployment(id, patch);
    try {
      await write();
    } catch (cause) {
      // The pusher is told all the same.
      this.#app.unrecorded.push(write);
      const { name } = this.#app;
      this.#context.log(`${name}: cannot record the failure of deployment ${id}: ${describeError(cause).line}`);
    }
  }

  end(ok: boolean): void {
    this.#closed = true;
    this.log.end(ok);
    this.#file.close();
    this.#app.running.delete(this.deployment.id);
  }

  /** What is to be told for what was thrown: why the deployment was stopped, if it was. */
  #reason(thrown: unknown): unknown {
    if (this.#ending.signal.aborted) return this.#ending.signal.reason;
    if (!this.#context.signal.aborted) return thrown;
    return new Rejection('the fnrun server is stopping; nothing changed', { hint: 'push again when it runs again' });
  }

  #note(step: DeploymentStep): void {
    this.#stepsMs[this.deployment.step] = this.#sinceEntered();
    this.#enteredMs = performance.now();
    this.deployment.step = step;
  }

  #sinceEntered(): number {
    return Math.round(performance.now() - this.#enteredMs);
  }
}

/** 12 hex digits of time, 4 of chance: sorts by time, and names a file. */
function deploymentId(nowMs: number): string {
  return nowMs.toString(16).padStart(12, '0') + randomBytes(2).toString('hex');
}
