/** What `sshd -T` prints: keyword in lower case to its values, one for each line with it. */
export type Effective = ReadonlyMap<string, readonly string[]>;

/** Reads the output of `sshd -T`. */
export function parseEffective(text: string): Effective {
  const effective = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space === -1) continue;
    const keyword = line.slice(0, space);
    effective.set(keyword, [...(effective.get(keyword) ?? []), line.slice(space + 1).trim()]);
  }
  return effective;
}

const keysOnly: Readonly<Record<string, string>> = {
  pubkeyauthentication: 'yes',
  passwordauthentication: 'no',
  kbdinteractiveauthentication: 'no',
  permitemptypasswords: 'no',
  hostbasedauthentication: 'no',
  gssapiauthentication: 'no',
};

const wanted: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  root: keysOnly,
  deployer: keysOnly,
  fnrun: {
    ...keysOnly,
    authorizedkeysfile: '/var/lib/fnrun/authorized_keys',
    authenticationmethods: 'publickey',
    permittty: 'no',
    disableforwarding: 'yes',
  },
};

/** The users whose logins are looked at. */
export const judgedUsers: readonly string[] = Object.keys(wanted);

/** What is wrong with logins of a user, in words; empty: nothing. `groups`: those that the user is in. */
export function judgeEffective(
  effective: Effective,
  { user, groups = [] }: { user: string; groups?: readonly string[] },
): string[] {
  const wrong = Object.entries(wanted[user] ?? {}).flatMap(([keyword, value]) => {
    // A keyword that this sshd was built without has no line: nothing to turn off.
    const now = effective.get(keyword)?.join(' ') ?? value;
    return now === value ? [] : [`${keyword} is ${now} for ${user}, not ${value}`];
  });
  const root = effective.get('permitrootlogin')?.[0];
  if (user === 'root' && root === 'yes') wrong.push('permitrootlogin is yes');
  return user === 'root' ? wrong : [...wrong, ...refusals(effective, { user, groups })];
}

/** Lists of the operator's that keep the user out. */
function refusals(effective: Effective, { user, groups }: { user: string; groups: readonly string[] }): string[] {
  const list = (keyword: string): string[] => (effective.get(keyword) ?? []).flatMap((line) => line.split(/\s+/));
  const names = (keyword: string, them: readonly string[]): boolean =>
    list(keyword).some((pattern) => them.some((name) => matches(pattern, name)));
  const wrong: string[] = [];
  if (list('allowusers').length > 0 && !names('allowusers', [user])) wrong.push(`AllowUsers does not name ${user}`);
  if (list('allowgroups').length > 0 && !names('allowgroups', groups)) {
    wrong.push(`AllowGroups names no group of ${user}`);
  }
  if (names('denyusers', [user])) wrong.push(`DenyUsers names ${user}`);
  if (names('denygroups', groups)) wrong.push(`DenyGroups names a group of ${user}`);
  return wrong;
}

/** As sshd matches names: `*` and `?`; what follows an `@` is about addresses. */
function matches(pattern: string, name: string): boolean {
  const [own = ''] = pattern.split('@');
  const source = own
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(name);
}
