import { accessSync, constants, existsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { engineNames, oldestKnown, type Engine, type ServerVersion } from '../../deploy/mysql/engine.ts';
import { isAtLeast } from '../../deploy/versions.ts';
import type { DatabaseFacts, DiskFacts, DiskKind } from '../../deploy/mysql/facts.ts';
import { detectServer, type InstalledServer } from '../../deploy/mysql/machine/detect-server.ts';
import { measureDisk } from '../../deploy/mysql/machine/measure-disk.ts';
import { readDisk } from '../../deploy/mysql/machine/read-disk.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import type { CommandContext, CommandOptions } from '../command.ts';
import { parseCount, parseMegabytes } from './parse-size.ts';

/** What a person may say instead of the machine. */
export const machineOptions = {
  memory: { type: 'string', value: 'MB', description: 'memory of the machine, 2048 or 2G (default: /proc/meminfo)' },
  cores: { type: 'string', value: 'N', description: 'its cores (default: those of this one)' },
  disk: { type: 'string', value: 'KIND', default: 'auto', description: 'ssd, nvme, hdd or auto' },
  iops: { type: 'string', value: 'N', description: 'synced writes of 16 KiB a second, instead of measuring' },
  measure: { type: 'string', value: 'DIR', description: 'measure the disk in this folder (default: the data folder)' },
  'no-measure': { type: 'boolean', description: 'do not measure the disk (2 s and 64 MB at most)' },
  'data-dir': { type: 'string', value: 'DIR', description: 'data folder (default: /var/lib/mysql)' },
  'data-size': { type: 'string', value: 'SIZE', description: 'data and indexes, 800M or 3G: the pool needs no more' },
  'max-connections': {
    type: 'string',
    value: 'N',
    description: "sum of the apps' database.maxConnections (default: asked of the server in --home)",
  },
  'redo-per-hour': {
    type: 'string',
    value: 'SIZE',
    description: 'redo log of a busy hour; fnrun doctor mysql tells it',
  },
  dedicated: { type: 'boolean', description: 'nothing but the database runs on the machine' },
  binlog: { type: 'boolean', description: 'keep a binary log: replicas, point-in-time recovery' },
  tcp: { type: 'boolean', description: 'listen on 127.0.0.1 too, not on the unix socket only' },
  'relaxed-commits': { type: 'boolean', description: 'a power cut may lose the last second of commits' },
} as const satisfies CommandOptions;

const standardDataDir = '/var/lib/mysql';
const standardLogDir = '/var/log/mysql';

type Given = Pick<CommandContext<typeof machineOptions>, 'values' | 'cwd'> & { warn: (line: string) => void };

/** The facts of this machine, with what was given in place of what would be found, for a server of `server`'s kind. */
export async function gatherFacts(server: ServerVersion, { values, cwd, warn }: Given): Promise<DatabaseFacts> {
  const dataDir = resolve(cwd, values['data-dir'] ?? standardDataDir);
  const memory = values.memory;
  const count = (name: 'cores' | 'iops' | 'max-connections', most: number): number | null =>
    values[name] === undefined ? null : parseCount(values[name], { name: `--${name}`, most });
  const size = (name: 'data-size' | 'redo-per-hour'): number | null =>
    values[name] === undefined ? null : parseMegabytes(values[name], { name: `--${name}` });
  const facts = {
    ...server,
    memoryMb:
      memory === undefined
        ? Math.floor(totalmem() / 2 ** 20)
        : parseMegabytes(memory, { name: '--memory', least: 256 }),
    cores: count('cores', 4096) ?? availableParallelism(),
    dataMb: size('data-size'),
    appConnections: count('max-connections', 90_000),
    redoMbPerHour: size('redo-per-hour'),
    dedicated: values.dedicated === true,
    binlog: values.binlog === true,
    relaxedCommits: values['relaxed-commits'] === true,
    tcp: values.tcp === true,
    logDir: dataDir === standardDataDir && existsSync(standardLogDir) ? standardLogDir : null,
  };
  const iops = count('iops', 100_000_000);
  const disk = await diskOf(dataDir, values.disk);
  const folder = values.measure === undefined ? dataDir : resolve(cwd, values.measure);
  if (iops !== null || values['no-measure'] === true) return { ...facts, disk, syncedWritesPerSecond: iops };
  if (!isWritable(folder)) {
    if (values.measure !== undefined) {
      throw new FnrunError('FN_USAGE', `--measure names a folder that can be written to: ${folder} cannot`);
    }
    warn(`the disk is not measured: ${folder} is not there or not yours; --measure DIR names another folder on it`);
    return { ...facts, disk, syncedWritesPerSecond: null };
  }
  return { ...facts, disk, syncedWritesPerSecond: (await measureDisk(folder)).writesPerSecond };
}

/** Engine and version: those given, else those of the server that is installed here. */
export async function chooseServer(values: {
  engine?: string | undefined;
  'engine-version'?: string | undefined;
}): Promise<ServerVersion & { installed: InstalledServer | null }> {
  const { engine, 'engine-version': version } = values;
  const installed = await detectServer();
  if (engine !== undefined && !isEngine(engine)) {
    throw new FnrunError('FN_USAGE', `--engine is mariadb or mysql: it is ${JSON.stringify(engine)}`);
  }
  if (version !== undefined && !/^\d+\.\d+(\.\d+)?$/.test(version)) {
    throw new FnrunError('FN_USAGE', `--engine-version reads like 10.11 or 8.4.3: it is ${JSON.stringify(version)}`);
  }
  const same = installed !== null && (engine === undefined || engine === installed.engine) ? installed : null;
  const chosen = { engine: engine ?? same?.engine, version: version ?? same?.version };
  if (chosen.engine === undefined || chosen.version === undefined) {
    const why =
      engine === undefined ? 'No database server is installed here' : `No ${engineNames[engine]} is installed here`;
    throw new FnrunError('FN_USAGE', why, { hint: 'say for which: --engine mariadb --engine-version 10.11' });
  }
  requireKnown({ engine: chosen.engine, version: chosen.version });
  // Only the very server that the file is for may judge it.
  const judge = same !== null && same.version === chosen.version ? same : null;
  return { engine: chosen.engine, version: chosen.version, installed: judge };
}

function requireKnown({ engine, version }: ServerVersion): void {
  const oldest = oldestKnown[engine];
  if (isAtLeast(version, oldest)) return;
  throw new FnrunError('FN_USAGE', `${engineNames[engine]} ${version} is not known here`, {
    hint: `${oldest} is the oldest whose variables are`,
  });
}

async function diskOf(dataDir: string, kind: string): Promise<DiskFacts> {
  const found = await readDisk(dataDir);
  if (kind === 'auto') return found;
  if (!['ssd', 'nvme', 'hdd'].includes(kind)) {
    throw new FnrunError('FN_USAGE', `--disk is ssd, nvme, hdd or auto: it is ${JSON.stringify(kind)}`);
  }
  return { ...found, kind: kind as DiskKind };
}

function isEngine(value: string): value is Engine {
  return value === 'mariadb' || value === 'mysql';
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
