import { basename } from 'node:path';
import { watch } from 'chokidar';

/** Folders whose content never decides what a build makes (packages change together with the lockfile). */
const ignored = new Set(['node_modules', '.git', '.fnrun']);

/** An editor saves in several steps (truncate, write, rename); the build waits for this much silence. */
const settleMs = 5;

/** A watch on a folder and what is below it. */
export interface SourceWatch {
  close(): Promise<void>;
}

/** Calls `onChange` after each save below `dir`. Resolves once everything is watched. */
export async function watchSources(dir: string, onChange: () => void): Promise<SourceWatch> {
  let timer: NodeJS.Timeout | undefined;
  const settle = (): void => {
    clearTimeout(timer);
    timer = setTimeout(onChange, settleMs);
  };
  // Its own handling of atomic writes holds back an event for 100 ms.
  const watcher = watch(dir, { ignoreInitial: true, atomic: false, ignored: (path) => ignored.has(basename(path)) });
  watcher.on('all', settle);
  // 'all' leaves out a change within 50 ms of another one of the same file, and so the last step of a slow save.
  watcher.on('raw', (_event, path) => {
    if (!ignored.has(basename(path ?? ''))) settle();
  });
  await new Promise<void>((resolve, reject) => {
    watcher.once('ready', resolve);
    watcher.once('error', reject);
  });
  // A file that cannot be watched any more (no handles left, say) must not end the session.
  watcher.on('error', () => undefined);
  return {
    close: async () => {
      clearTimeout(timer);
      await watcher.close();
    },
  };
}
