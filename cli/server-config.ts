import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { checkLimits, checkPermissions } from '../runtime/contract/app-checks.ts';
import type { AppLimitsInput } from '../runtime/contract/app-limits.ts';
import { boolean, number, object, text } from '../runtime/contract/config-check.ts';
import { FnrunError } from '../runtime/contract/errors.ts';
import { appLimits, appUserLimits, buildLimits, deployLimits } from '../runtime/contract/limits.ts';
import { isHostName } from '../deploy/nginx/site/names.ts';
import type { AppUserRange } from '../deploy/users/user-range.ts';
import type { BuildPolicy } from '../deploy/build/pool.ts';
import type { AppPolicy } from '../runtime/supervisor/launch-plan.ts';

/** `config.json` of a home: what its operator says. Every key is optional. */
export interface ServerConfig extends AppPolicy {
  /** Whether a cgroup that was delegated to the server is used. @default true */
  cgroup?: boolean;
  /** What builds of pushes may use; docs/building.md. `jail` false: no jail even where one works. */
  builds?: BuildPolicy & { jail?: boolean };
  /** Releases of each app that are kept beside the live one, for rollbacks. @default 10 */
  releasesKept?: number;
  /** Absolute path of the file that sshd reads, where that is not `<home>/authorized_keys`; it may hold other lines too. */
  authorizedKeys?: string;
  /** Behind nginx each app is at `https://<app>.<domain>/`: what people are told. @default the gateway's addresses */
  domain?: string;
  /** Users for apps, one each; docs/isolation.md. @default all run as the server's user */
  appUsers?: AppUserRange;
  /** Previews of branches. */
  previews?: PreviewConfig;
}

/** What branches that do not deploy may have. */
export interface PreviewConfig {
  /** Previews of one app; 0: none. @default 20 */
  perApp?: number;
  /** Time without a connection after which one is removed, in ms. @default 604800000, a week */
  idleMs?: number;
  /** What one may use at most, whatever fnrun.json asks for. @default 256 MB, 8 threads, idle after 60 s */
  ceilings?: AppLimitsInput;
}

const check = object({
  limits: checkLimits,
  ceilings: checkLimits,
  permissions: checkPermissions,
  cgroup: boolean,
  builds: object({
    jail: boolean,
    idleMs: number({ min: 0, max: buildLimits.processIdleMsMax, unit: 'ms' }),
    parallel: number({ min: 1, max: buildLimits.parallelMax, unit: 'builds' }),
    memoryMb: number({ min: buildLimits.memoryMbMin, max: appLimits.memoryMbMax, unit: 'MB' }),
    processes: number({ min: buildLimits.processesMin, max: appLimits.processesMax, unit: 'processes' }),
  }),
  releasesKept: number({ min: deployLimits.releasesKeptMin, max: deployLimits.releasesKeptMax, unit: 'releases' }),
  previews: object({
    perApp: number({ min: 0, max: deployLimits.previewsPerAppMax, unit: 'previews' }),
    idleMs: number({ min: deployLimits.previewIdleMsMin, max: Number.MAX_SAFE_INTEGER, unit: 'ms' }),
    ceilings: checkLimits,
  }),
  appUsers: object({
    first: number({ min: appUserLimits.firstMin, max: appUserLimits.firstMax, unit: 'user' }),
    count: number({ min: 1, max: appUserLimits.countMax, unit: 'users' }),
  }),
  authorizedKeys: text('an absolute path', isAbsolute),
  domain: text('a host name', isHostName),
});

/** Reads the server's configuration; empty when there is none. Throws FN_BAD_SETTINGS. */
export function readServerConfig(path: string): ServerConfig {
  let json: string;
  try {
    json = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  let config: unknown;
  try {
    config = JSON.parse(json);
  } catch (cause) {
    throw new FnrunError('FN_BAD_SETTINGS', `Cannot read ${path}: ${(cause as Error).message}`, {
      cause,
      hint: 'it is strict JSON: double quotes, no comments, no comma before } or ]',
    });
  }
  const [issue] = check(config, { file: 'config.json', path: [] });
  if (issue === undefined) return config as ServerConfig;
  throw new FnrunError('FN_BAD_SETTINGS', `Cannot use ${path}: ${issue.message}`, {
    hint: issue.known === null ? 'mend it and start again' : `known there: ${issue.known.join(', ')}`,
  });
}
