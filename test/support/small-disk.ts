import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTempDir } from './temp-dir.ts';

/** A file system of a given size that only programs started with `wrap` see at `path`. */
export interface SmallDisk extends AsyncDisposable {
  /** Where it is for those. */
  readonly path: string;
  /** Where this process sees the same files. */
  readonly outside: string;
  readonly wrap: readonly string[];
  /** Takes all its space but so many bytes. */
  take(options?: { leave: number }): Promise<void>;
  /** Gives back what `take` took. */
  free(): Promise<void>;
}

/** Mounts a tmpfs in a mount namespace of its own, which is gone with its last process. */
export async function makeSmallDisk({ bytes }: { bytes: number }): Promise<SmallDisk> {
  const folder = await makeTempDir('fd-');
  const root = process.getuid?.() === 0;
  const script = `mount -t tmpfs -o size=${bytes} fnrun-test "$1" && echo mounted && exec cat`;
  const own = root ? [] : ['--user', '--map-root-user'];
  const args = [...own, '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', folder.path];
  const holder = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  holder.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [first] = (await Promise.race([once(holder.stdout, 'data'), once(holder, 'close')])) as [unknown];
  if (!Buffer.isBuffer(first)) {
    await folder.remove();
    throw new Error(
      `A tmpfs of its own cannot be mounted here, which this test needs (run it as root): ${said.trim()}`,
    );
  }
  const pid = String(holder.pid);
  const outside = join('/proc', pid, 'root', folder.path);
  const filler = join(outside, 'filler');
  return {
    path: folder.path,
    outside,
    wrap: ['nsenter', '-t', pid, ...(root ? [] : ['--user', '--preserve-credentials']), '--mount', '--'],
    take: async ({ leave } = { leave: 0 }) => {
      await fillUp(filler);
      const file = await open(filler, 'r+');
      const { size } = await file.stat();
      if (leave > 0) await file.truncate(Math.max(0, size - leave));
      await file.close();
    },
    free: () => rm(filler, { force: true }),
    [Symbol.asyncDispose]: async () => {
      holder.stdin.end();
      await once(holder, 'close');
      await folder.remove();
    },
  };
}

async function fillUp(path: string): Promise<void> {
  const file = await open(path, 'a');
  try {
    for (let bytes = 1 << 20; bytes >= 4096;) {
      const written = await file.write(Buffer.alloc(bytes)).then(
        ({ bytesWritten }) => bytesWritten,
        (error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOSPC') throw error;
          return 0;
        },
      );
      if (written < bytes) bytes /= 4;
    }
  } finally {
    await file.close();
  }
}
