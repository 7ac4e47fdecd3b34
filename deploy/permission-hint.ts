/** What Node says when its permission model refuses something, and the permission that gives it. */
const refusals: readonly (readonly [text: string, permission: string])[] = [
  ['--allow-child-process', '"childProcess": true'],
  ['loading addons is disabled', '"addons": true'],
  ['--allow-addons', '"addons": true'],
  ['--allow-inspector', '"inspector": true'],
  ['--allow-wasi', '"wasi": true'],
  ['--allow-fs-read', '"fsRead": ["/the/path"]'],
  ['--allow-fs-write', '"fsWrite": ["/the/path"]'],
];

/** What to do about an error that comes from a missing permission; null for any other. Node names its own flags. */
export function permissionHint(message: string): string | null {
  const refusal = refusals.find(([text]) => message.includes(text));
  return refusal === undefined ? null : `ask for it in fnrun.json: "permissions": { ${refusal[1]} }`;
}
