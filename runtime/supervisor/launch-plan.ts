import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { resolveAppLimits } from '../contract/app-limits.ts';
import type { AppLimits, LimitsPolicy } from '../contract/app-limits.ts';
import { permissionsDenied, permissionsGiven, resolveAppPermissions } from '../contract/app-permissions.ts';
import type { AppPermissions, AppPermissionsInput } from '../contract/app-permissions.ts';
import { connectionBudgets } from '../contract/database.ts';
import { FnrunError } from '../contract/errors.ts';
import type { Manifest } from '../contract/manifest.ts';

/** What the operator of a server lets its apps have. */
export interface AppPolicy extends LimitsPolicy {
  /** What apps may ask for; absent: anything. */
  permissions?: AppPermissionsInput;
}

type Asked = Pick<Manifest, 'limits' | 'permissions' | 'database'>;

/** What a release's process runs with. */
export interface LaunchPlan {
  limits: AppLimits;
  permissions: AppPermissions;
  /** Database connections at most, by database. */
  connections: Record<string, number>;
}

/** What a process without a release runs with. */
export function defaultPlan(policy: AppPolicy): LaunchPlan {
  return planOf({}, policy);
}

/**
 * What the release in `releaseDir` asks for, as far as the operator gives it. A permission that is not given is
 * left out; `strict`: throws FN_BAD_SETTINGS. A manifest that cannot be read asks for nothing: the host tells.
 */
export async function readPlan(
  releaseDir: string,
  { policy, strict }: { policy: AppPolicy; strict: boolean },
): Promise<LaunchPlan> {
  let manifest: Asked = {};
  try {
    manifest = JSON.parse(await readFile(join(releaseDir, 'manifest.json'), 'utf8')) as Manifest;
  } catch {
    return defaultPlan(policy);
  }
  const { permissions: allowed } = policy;
  const denied = allowed === undefined ? [] : permissionsDenied(manifest.permissions ?? {}, allowed);
  if (denied.length === 0) return planOf(manifest, policy);
  // The operator has taken back what a live release was given: it starts without.
  if (!strict)
    return planOf({ ...manifest, permissions: permissionsGiven(manifest.permissions ?? {}, allowed ?? {}) }, policy);
  throw new FnrunError('FN_BAD_SETTINGS', `This server gives no app ${denied.join(', ')}, which fnrun.json asks for`, {
    hint: "ask the server's operator to allow it in config.json, or take it out of fnrun.json",
  });
}

/** Whether a process that was started for `a` may serve `b`: the rest of a plan applies to a running one. */
export function sameProcess(a: LaunchPlan, b: LaunchPlan): boolean {
  return processKey(a) === processKey(b);
}

function processKey({ limits: { openFiles, threads }, permissions }: LaunchPlan): string {
  const { childProcess, addons, inspector, wasi, fsRead, fsWrite } = permissions;
  const paths = [fsRead, fsWrite].map((list) => [...new Set(list)].toSorted());
  return JSON.stringify([openFiles, threads, childProcess, addons, inspector, wasi, paths]);
}

function planOf(manifest: Asked, policy: AppPolicy): LaunchPlan {
  const machineMb = Math.floor(Math.min(totalmem(), process.constrainedMemory() || Infinity) / 2 ** 20);
  return {
    limits: resolveAppLimits(manifest.limits ?? {}, { policy, machineMb }),
    permissions: resolveAppPermissions(manifest.permissions ?? {}),
    connections: connectionBudgets(manifest.database),
  };
}
