import { databaseLimits, setupLimits } from '../../../../runtime/contract/limits.ts';
import { appConnectionsFor } from '../../../database/own/raise-connections.ts';
import type { ServerVersion } from '../../../mysql/engine.ts';
import type { DatabaseFacts, DiskFacts } from '../../../mysql/facts.ts';
import { diskKind } from '../../../mysql/machine/read-disk.ts';
import { readFile } from '../../files.ts';
import type { Machine } from '../../machine.ts';
import { must } from '../../must.ts';
import type { SetupContext } from '../../step.ts';
import { dataDir, type DatabaseServer } from './engine.ts';

/** What was measured once, so that the configuration is the same at the next run. */
export const measuredPath = '/etc/fnrun/database.json';

/** All that the configuration is made from, as the machine has it. The same at every run, unless the machine is another. */
export async function databaseFacts(
  { machine, facts }: SetupContext,
  { server, version }: { server: DatabaseServer; version: ServerVersion },
): Promise<DatabaseFacts> {
  const { memoryStepMb } = setupLimits;
  return {
    ...version,
    // The kernel keeps some for itself, and a new one another amount.
    memoryMb: Math.max(Math.floor(facts.memoryMb / memoryStepMb), 1) * memoryStepMb,
    cores: facts.cores,
    disk: await readDisk(machine),
    syncedWritesPerSecond: await readMeasured(machine),
    dedicated: false,
    dataMb: null,
    appConnections: Math.max(await connectionsBefore(machine, server), appConnectionsFor(await budgetSum(machine))),
    redoMbPerHour: null,
    binlog: false,
    relaxedCommits: false,
    tcp: false,
    logDir: '/var/log/mysql',
  };
}

/** Never lowered: whoever was let in stays so, and a server that cannot be asked now is no reason. */
async function connectionsBefore(machine: Machine, { configPath }: DatabaseServer): Promise<number> {
  const found = /^max_connections = (\d+)$/m.exec((await readFile(machine, configPath))?.text ?? '')?.[1];
  return found === undefined ? 0 : Number(found) - databaseLimits.serverReserved;
}

/** What the apps that are live may open on this machine's server, as fnrun tells. */
async function budgetSum(machine: Machine): Promise<number> {
  const { code, stdout } = await machine.run(['fnrun', 'databases', 'budgets', '--json']);
  if (code !== 0) return 0;
  const { localSum } = JSON.parse(stdout) as { localSum: number };
  return localSum;
}

const look = [
  '[ -d "$1" ] && dir=$1 || dir=/var/lib',
  'source=$(findmnt -n -o SOURCE -T "$dir") && lsblk -s -n -r -o NAME,TYPE,ROTA "${source%%[*}"',
].join('; ');

/** The disk below the data folder. Its scheduler is left out: another step may change it. */
async function readDisk(machine: Machine): Promise<DiskFacts> {
  const { code, stdout } = await machine.run(['sh', '-c', look, 'sh', dataDir]);
  const rows = code === 0 ? stdout.split('\n').map((line) => line.split(' ')) : [];
  const [name, , rotates] = rows.find(([, type]) => type === 'disk') ?? [];
  if (name === undefined) return { kind: 'unknown', name: null, rotational: null, scheduler: null, queues: null };
  const rotational = rotates === '1';
  return { kind: diskKind({ name, rotational }), name, rotational, scheduler: null, queues: null };
}

/** Whether a setup has measured the disk. */
export async function isMeasured(machine: Machine): Promise<boolean> {
  return (await readFile(machine, measuredPath)) !== null;
}

/** Synced writes of 16 KiB a second, as an earlier setup has measured them; null: none has, or it could not. */
async function readMeasured(machine: Machine): Promise<number | null> {
  const text = (await readFile(machine, measuredPath))?.text ?? '{}';
  try {
    const { syncedWritesPerSecond: found } = JSON.parse(text) as { syncedWritesPerSecond?: unknown };
    return typeof found === 'number' && found > 0 ? found : null;
  } catch {
    return null;
  }
}

// The same file twice: only the second pass is timed, when no page has to be found a place any more.
const measure = [
  'set -e; file="$1/.fnrun-measure-$$"; trap \'rm -f -- "$file"\' EXIT',
  'dd if=/dev/urandom of="$file" bs=16k count="$2" conv=fsync 2>/dev/null',
  'timeout 10 dd if="$file" of="$file" bs=16k count="$2" conv=notrunc oflag=dsync 2>&1 | tail -n 1',
].join('\n');

/** Writes pages of 16 KiB to the disk of the data folder, each synced, for some seconds at most. Null: it could not be timed. */
export async function measureWrites(machine: Machine): Promise<number | null> {
  const count = setupLimits.measuredWrites;
  const told = await must(machine, ['sh', '-c', measure, 'sh', dataDir, String(count)]);
  const seconds = Number(/copied, ([\d.]+) s/.exec(told)?.[1]);
  return Number.isFinite(seconds) && seconds > 0 ? Math.round(count / seconds) : null;
}
