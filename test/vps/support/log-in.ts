import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTempDir } from '../../support/temp-dir.ts';
import { runProgram } from './programs.ts';

const logInMs = 120_000;

/**
 * Tries to log in over ssh as a stranger would, with a password or a private key: whether the server let it. Rejects
 * when that cannot be told, because the server was not reached.
 */
export async function logIn(
  { port, user }: { port: number; user: string },
  credential: { password: string } | { key: string },
): Promise<boolean> {
  await using temp = await makeTempDir('fnrun-login-');
  const ask = join(temp.path, 'ask');
  await writeFile(ask, '#!/bin/sh\nprintf "%s\\n" "$FNRUN_TEST_PASSWORD"\n');
  await chmod(ask, 0o755);
  const byKey = 'key' in credential;
  const options = [
    `PreferredAuthentications=${byKey ? 'publickey' : 'password,keyboard-interactive'}`,
    `PubkeyAuthentication=${byKey ? 'yes' : 'no'}`,
    'IdentityAgent=none',
    'IdentitiesOnly=yes',
    'NumberOfPasswordPrompts=1',
    'ConnectTimeout=60',
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
  ].flatMap((option) => ['-o', option]);
  const key = byKey ? ['-i', credential.key] : [];
  const { code, stdout, stderr } = await runProgram(
    ['ssh', '-F', 'none', ...options, ...key, '-p', `${port}`, `${user}@127.0.0.1`, 'echo let in'],
    {
      timeoutMs: logInMs,
      env: {
        ...process.env,
        SSH_ASKPASS: ask,
        SSH_ASKPASS_REQUIRE: 'force',
        ...(!byKey && { FNRUN_TEST_PASSWORD: credential.password }),
      },
    },
  );
  if (code === 0 && stdout.includes('let in')) return true;
  if (/Permission denied/.test(stderr)) return false;
  throw new Error(`ssh ended with ${code} and did not say whether ${user} was let in: ${stderr}${stdout}`);
}
