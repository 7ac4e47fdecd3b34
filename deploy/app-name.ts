import { FnrunError } from '../runtime/contract/errors.ts';
import { deployLimits } from '../runtime/contract/limits.ts';

// A name is a DNS label (it becomes `<app>.<anything>`), a folder and a socket's file name.
const appName = /^[a-z](?:-?[a-z0-9])*$/;

/** Whether `name` can be an app: lower-case letters, digits and single inner hyphens, a letter first. */
export function isAppName(name: string): boolean {
  return name.length <= deployLimits.appNameChars && appName.test(name);
}

/** Returns `name`. Throws FN_BAD_APP_NAME when it cannot be an app's. */
export function checkAppName(name: string): string {
  if (isAppName(name)) return name;
  const shown = JSON.stringify(name.length > 60 ? `${name.slice(0, 57)}...` : name);
  throw new FnrunError('FN_BAD_APP_NAME', `${shown} cannot be the name of an app`, {
    hint: `use up to ${deployLimits.appNameChars} lower-case letters, digits and single hyphens, a letter first, for example my-app`,
  });
}
