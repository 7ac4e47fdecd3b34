import { randomBytes } from 'node:crypto';
import { constants, type FileHandle, link, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { syncFolder } from '../sync-folder.ts';

/** Bytes of the key: AES-256. */
const keyBytes = 32;

/** The key in `file`; null when there is none. Throws FN_SECRET_KEY when others may read it, or it is no key. */
export async function readSecretKey(file: string): Promise<Buffer | null> {
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    const hint = `make it a plain file that the server's user may read, with mode 0600`;
    throw new FnrunError('FN_SECRET_KEY', `Cannot read ${file}: ${message}`, { cause, hint });
  }
  try {
    return await readChecked(handle, file);
  } finally {
    await handle.close();
  }
}

async function readChecked(handle: FileHandle, file: string): Promise<Buffer> {
  const found = await handle.stat();
  const mode = found.mode & 0o777;
  if ((mode & 0o077) !== 0) {
    const shown = mode.toString(8).padStart(4, '0');
    throw new FnrunError('FN_SECRET_KEY', `${file} has mode ${shown}: others than its owner may use the key`, {
      hint: `if nobody else has read it: chmod 600 ${file}`,
    });
  }
  if (!found.isFile() || found.size !== keyBytes) {
    const what = `${file} is no key: it has ${found.size} bytes, a key has ${keyBytes}`;
    throw new FnrunError('FN_SECRET_KEY', what, { hint: 'put the file back from a backup' });
  }
  return await handle.readFile();
}

/** Makes a key in `file`, mode 0600, or reads the one that somebody else has made meanwhile. On the disk when it resolves. */
export async function makeSecretKey(file: string): Promise<Buffer> {
  const key = randomBytes(keyBytes);
  const staging = `${file}.new`;
  // Left by a server that ended in between: it holds no key that anything was encrypted with.
  await rm(staging, { force: true });
  const handle = await open(staging, 'wx', 0o600);
  try {
    await handle.chmod(0o600);
    await handle.writeFile(key);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    // Like O_EXCL it fails when the name is taken; unlike it, no instant shows half a key.
    await link(staging, file);
  } catch (error) {
    const made = (error as NodeJS.ErrnoException).code === 'EEXIST' ? await readSecretKey(file) : null;
    if (made === null) throw error;
    return made;
  } finally {
    await rm(staging, { force: true });
  }
  await syncFolder(dirname(file));
  return key;
}
