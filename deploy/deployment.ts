import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeploymentSource, DeploymentStep } from '../router/control/types.ts';
import type { Account } from './account/account.ts';
import { tellFailure } from './account/failure.ts';
import { describeError } from './account/lines.ts';
import type { Candidate } from './candidate.ts';
import type { DeployContext, ManagedApp } from './context.ts';
import type { CommitInfo } from './git/export.ts';
import { Rejection } from './rejection.ts';
import type { DeploymentRecord } from './store/store.ts';

/** What a deployment is of. */
export interface DeploymentStart {
  commit: string;
  ref: string;
  source: DeploymentSource;
  account: Account;
  release?: string;
  info?: CommitInfo;
}

/** A deployment under way, and its record. */
export interface Progress {
  readonly deployment: DeploymentRecord;
  describe(info: CommitInfo): void;
  /** Notes where it is; on disk only with the outcome, because each write waits for the disk. */
  enter(step: DeploymentStep): void;
  accept(candidate: Candidate): Promise<void>;
  /** Adds an account to the deployment's log. */
  follow(account: Account): void;
  /** Tells why it failed, and records it. Never rejects. */
  fail(error: unknown, account: Account): Promise<void>;
  saveAccount(): Promise<void>;
}

/** Records that a deployment began. */
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
    state: 'running',
    step: 'export',
    startedAtMs,
    finishedAtMs: null,
    durationMs: null,
    error: null,
    note: null,
  };
  await context.store.createDeployment(deployment);
  return progressOf(context, app, { deployment, accounts: [start.account] });
}

function progressOf(
  context: DeployContext,
  app: ManagedApp,
  { deployment, accounts }: { deployment: DeploymentRecord; accounts: Account[] },
): Progress {
  const { store } = context;
  const { id } = deployment;
  const saveAccount = async (): Promise<void> => {
    await mkdir(app.paths.accounts, { recursive: true });
    await writeFile(join(app.paths.accounts, `${id}.log`), accounts.map((account) => account.text()).join(''));
  };
  return {
    deployment,
    describe: (info) => {
      Object.assign(deployment, info);
    },
    enter: (step) => {
      deployment.step = step;
    },
    accept: async ({ release, build, env, functions, domains }) => {
      Object.assign(deployment, { release, step: 'accepted' });
      const { author, subject } = deployment;
      await store.acceptDeployment(
        id,
        { app: app.name, id: release, build, env, createdAtMs: context.now(), functions, domains },
        { author, subject },
      );
    },
    follow: (account) => accounts.push(account),
    fail: async (error, account) => {
      tellFailure(account, error);
      const finishedAtMs = context.now();
      const durationMs = finishedAtMs - deployment.startedAtMs;
      const { release, step, author, subject } = deployment;
      const why = app.redaction.text(error instanceof Rejection ? error.record : describeError(error).line);
      const outcome = { state: 'failed', finishedAtMs, durationMs, error: why } as const;
      try {
        await store.updateDeployment(id, { release, step, author, subject, ...outcome });
        await saveAccount();
      } catch (cause) {
        // The pusher is told all the same; the record is settled at the next start.
        context.log(`${app.name}: cannot record the failure of deployment ${id}: ${describeError(cause).line}`);
      }
    },
    saveAccount,
  };
}

/** 12 hex digits of time, 4 of chance: sorts by time, and names a file. */
function deploymentId(nowMs: number): string {
  return nowMs.toString(16).padStart(12, '0') + randomBytes(2).toString('hex');
}
