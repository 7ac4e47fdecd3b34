import { basename, relative, sep } from 'node:path';
import { watch } from 'chokidar';

/** Folders whose content never decides what a build makes (packages change together with the lockfile). */
const ignored = new Set(['node_modules', '.git', '.fnrun']);

/** An editor saves in several steps (truncate, write, rename); the build waits for this much silence. */
const settleMs = 5;

export interface SourceWatch {
  close(): Promise<void>;
}

/** Calls `onChange` with the changed paths (from `dir`, `/`-separated) after each save. Resolves when watching. */
export async function watchSources(dir: string, onChange: (paths: string[]) => void): Promise<SourceWatch> {
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(dir, {
    ignoreInitial: true,
    // Its own handling of atomic writes holds back an event for 100 ms.
    atomic: false,
    ignored: (path) => ignored.has(basename(path)),
  });
  watcher.on('all', (_event, path) => {
    changed.add(relative(dir, path).split(sep).join('/'));
    clearTimeout(timer);
    timer = setTimeout(() => {
      const paths = [...changed];
      changed.clear();
      onChange(paths);
    }, settleMs);
  });
  await new Promise<void>((resolve, reject) => {
    watcher.once('ready', resolve);
    watcher.once('error', reject);
  });
  return {
    close: async () => {
      clearTimeout(timer);
      await watcher.close();
    },
  };
}
