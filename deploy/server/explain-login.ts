import { FnrunError } from '../../runtime/contract/errors.ts';
import { setupLimits } from '../../runtime/contract/limits.ts';
import type { SshTarget } from './target.ts';

/** What went wrong with ssh itself: its own words, and what to do about them. */
export function loginError(words: string, { destination, port }: SshTarget): FnrunError {
  const login = `ssh ${port === null ? '' : `-p ${port} `}${destination}`;
  const said = words
    .split('\n')
    .map((line) => line.trim())
    // What servers greet with, and what ssh says of itself when all is well.
    .filter((line) => line !== '' && !/^(Warning: Permanently added|@+$)/.test(line))
    .slice(-setupLimits.lastWords)
    .join('\n');
  const hint = hints.find(([pattern]) => pattern.test(words))?.[1](login);
  return new FnrunError('FN_SSH_FAILED', `ssh could not reach ${destination}: ${said || 'it ended without a word'}`, {
    hint: hint ?? `see what ssh says: ${login.replace('ssh', 'ssh -v')}`,
  });
}

const hints: readonly [RegExp, (login: string) => string][] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    (login) =>
      `if the machine was installed anew, forget its old key: ssh-keygen -R ${login.split(/[ @]/).at(-1)}; else find out why before you go on`,
  ],
  [
    /Host key verification failed/,
    (login) => `connect once by hand and compare the fingerprint with what the provider shows: ${login}`,
  ],
  [
    /Permission denied/,
    (login) =>
      `it takes none of your keys: ${login} must work without a password (ssh-copy-id, or ssh-add for a key with a passphrase)`,
  ],
  [
    /Could not resolve|Connection refused|timed out|No route to host|Network is unreachable/,
    (login) => `check address and port, and that the machine is up: ${login}`,
  ],
];
