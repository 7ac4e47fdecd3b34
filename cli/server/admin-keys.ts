import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Machine } from '../../deploy/server/machine.ts';
import { parseTarget } from '../../deploy/server/target.ts';
import { parsePublicKey } from '../../deploy/keys/public-key.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { deployLimits, keyLimits } from '../../runtime/contract/limits.ts';

export interface AdminKeyOptions {
  /** Of `--key`. */
  files: readonly string[];
  /** What stands on the machine from an earlier setup. */
  kept: readonly string[];
  target: string;
  machine: Machine;
  /** A line of shell. */
  ssh: string;
  cwd: string;
}

/**
 * The public keys of the administrator, one line each: those of the files, else those of the earlier setup, else the one
 * that ssh would log in with, else those that root's account on the machine takes. Rejects with FN_USAGE or FN_BAD_KEY.
 */
export async function findAdminKeys({ files, kept, target, machine, ssh, cwd }: AdminKeyOptions): Promise<string[]> {
  if (files.length > 0) return (await Promise.all(files.map((file) => readKeyFile(resolve(cwd, file))))).flat();
  if (kept.length > 0) return [...kept];
  const own = target === 'local' ? [] : await identityKeys(target, ssh);
  const found = own.length > 0 ? own : await acceptedKeys(machine);
  if (found.length > 0) return found;
  throw new FnrunError('FN_USAGE', 'There is no public key for the administrator of the machine', {
    hint: 'name it: --key ~/.ssh/id_ed25519.pub (ssh-keygen -t ed25519 makes one)',
  });
}

async function readKeyFile(path: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new FnrunError('FN_USAGE', `Cannot read ${path}: ${code}`, { cause });
  }
  if (Buffer.byteLength(text) > keyLimits.publicKeyBytes * keyLimits.keys) {
    throw new FnrunError('FN_USAGE', `${path} is no file of public keys: it is too long`);
  }
  const lines = keyLines(text);
  if (lines.length === 0) throw new FnrunError('FN_USAGE', `${path} holds no key`);
  for (const line of lines) parsePublicKey(line);
  return lines;
}

/** The public half of the first key that ssh would try, as it says itself. */
async function identityKeys(target: string, ssh: string): Promise<string[]> {
  const parsed = parseTarget(target);
  if (parsed === 'local') return [];
  const port = parsed.port === null ? [] : ['-p', String(parsed.port)];
  const argv = ['-c', `exec ${ssh} "$@"`, 'ssh', '-G', ...port, '--', parsed.destination];
  const settings = await promisify(execFile)('/bin/sh', argv, { timeout: deployLimits.gitMs }).then(
    ({ stdout }) => stdout,
    () => '',
  );
  for (const [, path = ''] of settings.matchAll(/^identityfile (.+)$/gm)) {
    const text = await readFile(`${path.replace(/^~(?=\/)/, homedir())}.pub`, 'utf8').catch(() => '');
    const [line] = soundKeys(text);
    if (line !== undefined) return [line];
  }
  return [];
}

/** Whoever could log in as root before is its administrator. */
async function acceptedKeys(machine: Machine): Promise<string[]> {
  const { stdout } = await machine.run(['sh', '-c', 'cat /root/.ssh/authorized_keys 2>/dev/null; exit 0']);
  return soundKeys(stdout);
}

function soundKeys(text: string): string[] {
  return keyLines(text).filter((line) => {
    try {
      return parsePublicKey(line).type !== '';
    } catch {
      return false;
    }
  });
}

function keyLines(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}
