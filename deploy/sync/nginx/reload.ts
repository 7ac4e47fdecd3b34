import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { FnrunError } from '../../../runtime/contract/errors.ts';
import { domainLimits } from '../../../runtime/contract/limits.ts';

/**
 * Has the nginx whose process id is in `pidFile` read its files anew, and waits until only
 * processes with the new ones take connections.
 * It is a reload, never a restart: no connection is dropped. Rejects with FN_SYNC_FAILED when none runs, or when it keeps its old files.
 */
export async function reloadNginx({ pidFile, errorLog }: { pidFile: string; errorLog: string }): Promise<void> {
  const pid = await readPid(pidFile);
  if (pid === null || (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim() !== 'nginx') {
    throw new FnrunError('FN_SYNC_FAILED', 'nginx does not run: its files are in place, and nobody serves with them', {
      hint: 'start it: systemctl start nginx',
    });
  }
  const before = await workersOf(pid);
  // What `nginx -s reload` does, which would open all logs first.
  process.kill(pid, 'SIGHUP');
  const endsAt = performance.now() + domainLimits.reloadMs;
  while (performance.now() < endsAt) {
    const now = await workersOf(pid);
    const takes = await Promise.all(now.map(takesConnections));
    const taking = now.filter((_, i) => takes[i]);
    if (taking.length > 0 && taking.every((worker) => !before.includes(worker))) return;
    await sleep(20);
  }
  throw new FnrunError('FN_SYNC_FAILED', 'nginx was told to read its files and goes on with the old ones', {
    hint: `its reason is in ${errorLog}`,
  });
}

async function readPid(pidFile: string): Promise<number | null> {
  const text = await readFile(pidFile, 'utf8').catch(() => '');
  return /^\d{1,9}\n?$/.test(text) ? Number(text) : null;
}

/** One that is ending says so in its title. */
async function takesConnections(pid: string): Promise<boolean> {
  const title = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return title.startsWith('nginx: worker process') && !title.includes('shutting down');
}

async function workersOf(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.trim().split(' ');
}
