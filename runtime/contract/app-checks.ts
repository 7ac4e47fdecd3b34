import { appLimitRules } from './app-limits.ts';
import { permissionSwitches } from './app-permissions.ts';
import { boolean, list, number, object, text } from './config-check.ts';
import type { Check } from './config-check.ts';

/** Checks `limits`, as an app or the operator of a server writes them. */
export const checkLimits: Check = object(
  Object.fromEntries(Object.entries(appLimitRules).map(([key, rule]) => [key, number(rule)])),
);

const paths = list(
  'a list of paths such as ["/srv/data"]',
  text('an absolute path such as "/srv/data", or "*" for all', (value) => value === '*' || isAbsolutePath(value)),
);

/** Checks `permissions`. */
export const checkPermissions: Check = object({
  ...Object.fromEntries(permissionSwitches.map((name) => [name, boolean])),
  fsRead: paths,
  fsWrite: paths,
});

// Node reads a comma or an asterisk within a path as something else than itself.
function isAbsolutePath(value: string): boolean {
  return /^\/[^*,\0]*$/.test(value) && !/(?:^|\/)\.\.?(?:\/|$)/.test(value);
}
