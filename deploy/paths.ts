import { join } from 'node:path';
import { FnrunError } from '../runtime/contract/errors.ts';
import { deployLimits } from '../runtime/contract/limits.ts';

/** Where a home keeps what. All paths are absolute. */
export interface HomePaths {
  home: string;
  run: string;
  controlSocket: string;
  /** Written to when root shall look (`fnrun server sync`), and what it did, which root writes. */
  syncRequest: string;
  syncOutcome: string;
  syncServed: string;
  /** Held locked by the daemon while it lives. */
  lockFile: string;
  stateFile: string;
  /** Written by the operator; need not be there. */
  configFile: string;
  /** What stored environment values are encrypted with; made at first use. */
  secretKey: string;
  /** What sshd reads of the ssh keys, unless config.json names another file. */
  authorizedKeys: string;
  apps: string;
  logs: string;
  /** Temporary files of apps that have users of their own, in a folder for each user. */
  temporary: string;
}

/** Where one app keeps what. All paths are absolute. */
export interface AppPaths {
  root: string;
  repository: string;
  releases: string;
  /** A link to the folder of the live release; absent while there is none. */
  live: string;
  cache: string;
  /** Exported trees while they are built. */
  build: string;
  socket: string;
  logFile: string;
  /** One text file per deployment: what its pusher was told. */
  accounts: string;
}

/** The layout of `home`, an absolute path. */
export function homePaths(home: string): HomePaths {
  const run = join(home, 'run');
  return {
    home,
    run,
    controlSocket: join(run, 'control.sock'),
    syncRequest: join(run, 'sync'),
    syncOutcome: join(run, 'sync.json'),
    syncServed: join(run, 'sync-served.json'),
    lockFile: join(run, 'daemon.lock'),
    stateFile: join(home, 'state.db'),
    configFile: join(home, 'config.json'),
    secretKey: join(home, 'secret.key'),
    authorizedKeys: join(home, 'authorized_keys'),
    apps: join(home, 'apps'),
    logs: join(home, 'logs'),
    temporary: join(home, 'tmp'),
  };
}

/** The layout of `app` within a home. */
export function appPaths(home: HomePaths, app: string): AppPaths {
  const root = join(home.apps, app);
  return {
    root,
    repository: join(root, 'repo.git'),
    releases: join(root, 'releases'),
    live: join(root, 'live'),
    cache: join(root, 'cache'),
    build: join(root, 'build'),
    socket: join(home.run, `${app}.sock`),
    logFile: join(home.logs, `${app}.ndjson`),
    accounts: join(home.logs, `${app}.deployments`),
  };
}

/** Where the account of one deployment lies. */
export function accountPath(paths: AppPaths, deployment: string): string {
  return join(paths.accounts, `${deployment}.log`);
}

/** The layout of the preview `name`, which has its commits from the repository of `app`. */
export function previewPaths(home: HomePaths, name: string, app: string): AppPaths {
  return { ...appPaths(home, name), repository: appPaths(home, app).repository };
}

/** Throws FN_NAME_TOO_LONG when the kernel would not take `path` as a unix socket's. */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= deployLimits.socketPathBytes) return;
  throw new FnrunError(
    'FN_NAME_TOO_LONG',
    `Cannot listen on ${path}: the path of a unix socket has at most ${deployLimits.socketPathBytes} bytes, this one has ${bytes}`,
    { hint: 'choose a home with a shorter path (--home) or a shorter app name' },
  );
}
