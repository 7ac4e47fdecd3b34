import type { Remote } from './find-remote.ts';

/** What to tell beside ssh's own words. */
export interface SshFailure {
  message: string;
  hint: string;
}

/** Says what to do about a failure of ssh, by its last words. */
export function explainSsh(
  words: string,
  { name, destination, port }: Pick<Remote, 'name' | 'destination' | 'port'>,
): SshFailure {
  const login = `ssh ${port === null ? '' : `-p ${port} `}${destination}`;
  const hint = hints.find(([pattern]) => pattern.test(words))?.[1];
  return {
    message: `ssh could not run the command at ${destination}`,
    hint: hint?.(login, name) ?? `see what ssh says: ${login.replace('ssh', 'ssh -v')}`,
  };
}

const hints: readonly [RegExp, (login: string, remote: string) => string][] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    (login) => `find out why the key of the server has changed before you go on (${login})`,
  ],
  [
    /Host key verification failed/,
    (login) => `connect once by hand and compare the fingerprint of the server: ${login}`,
  ],
  [
    /Permission denied/,
    () =>
      'have your public key added on the server (fnrun keys add NAME --app APP), or choose it with ssh -i or ~/.ssh/config',
  ],
  [
    /Could not resolve|Connection refused|timed out|No route to host|Network is unreachable/,
    (_login, remote) => `check the address: git remote get-url ${remote}`,
  ],
];
