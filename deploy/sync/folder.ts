import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** A folder that another user owns, held open: whatever that user puts in its place or into it leads nowhere else. */
export interface HeldFolder extends AsyncDisposable {
  /** The text of a plain file in it; null: there is none, or it is larger than `maxBytes`, or a link. */
  read(name: string, options: { maxBytes: number }): Promise<string | null>;
  /** Puts a file there, as a whole. */
  write(name: string, options: { text: string; mode: number }): Promise<void>;
}

/** Opens `path`, whose last part must be no link. */
export async function openFolder(path: string): Promise<HeldFolder> {
  const handle = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  // Node has no openat(): the kernel's own link to what is open does the same.
  const at = (name: string): string => `/proc/self/fd/${handle.fd}/${name}`;
  return {
    read: async (name, { maxBytes }) => {
      // O_NONBLOCK: a FIFO in its place must hold nobody up.
      const file = await open(at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => null);
      if (file === null) return null;
      try {
        return await readPlain(file, maxBytes);
      } finally {
        await file.close();
      }
    },
    write: async (name, { text, mode }) => {
      const temporary = at(`${name}.new`);
      await rm(temporary, { force: true, recursive: true });
      const file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
      try {
        await file.writeFile(text);
        // The mask may have taken something away.
        await file.chmod(mode);
      } finally {
        await file.close();
      }
      await rename(temporary, at(name));
    },
    [Symbol.asyncDispose]: async () => await handle.close(),
  };
}

async function readPlain(file: FileHandle, maxBytes: number): Promise<string | null> {
  const stat = await file.stat();
  if (!stat.isFile() || stat.size > maxBytes) return null;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
  return buffer.toString('utf8', 0, bytesRead);
}
