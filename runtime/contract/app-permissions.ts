/**
 * What an app's code may do beside serving: `permissions` of its fnrun.json, with every default
 * filled in. A guard-rail against mistakes (Node's permission model), no wall against malice.
 */
export interface AppPermissions {
  /** Start other programs. */
  childProcess: boolean;
  /** Load native addons (`.node` files). */
  addons: boolean;
  /** Use `node:inspector`. */
  inspector: boolean;
  /** Use `node:wasi`. */
  wasi: boolean;
  /** Files and folders to read beside the app's own releases, packages and what every program reads; `*`: any. */
  fsRead: string[];
  /** Files and folders to write beside the temporary folder; `*`: any. */
  fsWrite: string[];
}

/** Permissions as written: any subset. */
export type AppPermissionsInput = Partial<AppPermissions>;

/** Permissions that are given or not. */
export const permissionSwitches = ['childProcess', 'addons', 'inspector', 'wasi'] as const;

/** Every permission with its default filled in. */
export function resolveAppPermissions(asked: AppPermissionsInput): AppPermissions {
  const none = { childProcess: false, addons: false, inspector: false, wasi: false };
  return { ...none, fsRead: [], fsWrite: [], ...asked };
}

/** What `asked` holds that `allowed` does not: as `permissions.childProcess` or `permissions.fsRead: /srv`. */
export function permissionsDenied(asked: AppPermissionsInput, allowed: AppPermissionsInput): string[] {
  const wanted = resolveAppPermissions(asked);
  const given = resolveAppPermissions(allowed);
  const switches = permissionSwitches.filter((name) => wanted[name] && !given[name]);
  const paths = (['fsRead', 'fsWrite'] as const).flatMap((name) =>
    wanted[name].filter((path) => !covers(given[name], path)).map((path) => `permissions.${name}: ${path}`),
  );
  return [...switches.map((name) => `permissions.${name}`), ...paths];
}

/** What both `asked` and `allowed` hold. */
export function permissionsGiven(asked: AppPermissionsInput, allowed: AppPermissionsInput): AppPermissions {
  const wanted = resolveAppPermissions(asked);
  const given = resolveAppPermissions(allowed);
  for (const name of permissionSwitches) wanted[name] &&= given[name];
  for (const name of ['fsRead', 'fsWrite'] as const) {
    wanted[name] = wanted[name].filter((path) => covers(given[name], path));
  }
  return wanted;
}

function covers(given: readonly string[], path: string): boolean {
  return given.some((one) => one === '*' || one === path || path.startsWith(one.endsWith('/') ? one : `${one}/`));
}
