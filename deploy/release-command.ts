import { symlink } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import type { BuildSuccess } from '../builder/build.ts';
import { deployLimits } from '../runtime/contract/limits.ts';
import { readPlan } from '../runtime/supervisor/launch-plan.ts';
import type { AppUser } from '../runtime/supervisor/app-user.ts';
import { commandLimits, runCommand } from '../runtime/supervisor/run-command.ts';
import { userEnv } from '../runtime/supervisor/spawn-host.ts';
import type { Account } from './account/account.ts';
import { ms, tell } from './account/lines.ts';
import type { DeployContext, ManagedApp } from './context.ts';
import { releaseRef, type ReleaseName } from './release-ref.ts';
import { Rejection, whatGoesOn } from './rejection.ts';

const systemPath = ['/usr/local/bin', '/usr/bin', '/bin'];

/** What a release command runs with. */
export interface ReleaseCommandOptions {
  release: ReleaseName;
  built: BuildSuccess;
  sourceDir: string;
  commit: string;
  account: Account;
  /** Aborts when the deployment is to end. */
  signal: AbortSignal;
}

/**
 * Runs `release` of fnrun.json in the exported tree, with the app's packages and environment, and passes its output
 * on. Rejects with a Rejection when it fails; the release does not go live then.
 */
export async function runReleaseCommand(
  context: DeployContext,
  app: ManagedApp,
  { release, built, sourceDir, commit, account, signal }: ReleaseCommandOptions,
): Promise<void> {
  const { releaseCommand, modulesDir } = built;
  if (releaseCommand === null) return;
  const { command, timeoutMs } = releaseCommand;
  if (modulesDir !== null) await symlink(modulesDir, join(sourceDir, 'node_modules'), 'dir');
  // The exported tree is the server's: an app with a user of its own gets a copy.
  const { user } = app;
  const own = user === null ? null : { user, temporary: user.newFolder() };
  const cwd = own === null ? sourceDir : join(own.temporary, 'tree');
  const plan = await readPlan(built.dir, { policy: {}, strict: false });
  const limits = commandLimits(plan.limits);
  const { env } = await releaseRef(context, app, release);
  tell(account, 'release', command);
  const startedMs = performance.now();
  let lines = 0;
  const run = (): Promise<string | null> =>
    runCommand({
      command,
      cwd,
      own,
      cgroup: context.cgroupFor(`${app.name}.command`, limits),
      env: {
        NODE_ENV: 'production',
        ...(own !== null && userEnv(app.name, own.temporary)),
        ...env,
        PATH: [join(cwd, 'node_modules/.bin'), dirname(process.execPath), ...systemPath].join(delimiter),
        HOME: cwd,
        FNRUN_APP: app.name,
        FNRUN_RELEASE: release.id,
        FNRUN_COMMIT: commit,
      },
      limits,
      timeoutMs,
      signal,
      onLine: (line) => {
        lines++;
        if (lines <= deployLimits.releaseCommandLines) account.write(`  ${line}`);
        else if (lines === deployLimits.releaseCommandLines + 1) account.write('  … (more is not shown)');
      },
    });
  const failure = own === null ? await run() : await inCopy(sourceDir, { cwd, own, run });
  const took = ms(performance.now() - startedMs);
  if (failure === null) return tell(account, 'release', `ok (${took})`);
  throw new Rejection(`the release command failed after ${took}: ${failure}; ${whatGoesOn(app)}`, {
    hint: 'what it had done by then stays done: mend it so that it can run again, commit, push again',
    record: `release command: ${failure}`,
  });
}

async function inCopy(
  sourceDir: string,
  { cwd, own, run }: { cwd: string; own: { user: AppUser; temporary: string }; run: () => Promise<string | null> },
): Promise<string | null> {
  try {
    await own.user.copy(sourceDir, cwd);
    return await run();
  } catch (error) {
    return `its files cannot be copied: ${(error as Error).message}`;
  } finally {
    await own.user.remove(own.temporary);
  }
}
