import { databaseServerLimits as limits } from '../../../runtime/contract/limits.ts';
import type { ServerVersion } from '../engine.ts';
import { compareVersions } from '../../versions.ts';
import type { DatabaseFacts } from '../facts.ts';
import { clamp, mebibyte, type Section, type Setting } from '../setting.ts';
import { isKnown } from '../variables.ts';
import { poolMb } from './memory.ts';

/** The redo log, and what a commit waits for. */
export function redoSection(facts: DatabaseFacts): Section {
  return {
    title: 'Redo log and commits',
    settings: [redoSize(facts), flushAtCommit(facts), ...binaryLog(facts)],
    leftOut: [],
  };
}

/** Mebibytes of redo log: an hour's worth, 256 MB at least, half the pool at most. */
export function redoMb(facts: DatabaseFacts): number {
  const most = Math.max(Math.min(poolMb(facts) / 2, limits.redoMbMax), limits.redoMbMin);
  return Math.floor(clamp(facts.redoMbPerHour ?? limits.redoMbUnknown, { min: limits.redoMbMin, max: most }));
}

/** Files that the size of one is multiplied by. */
export function redoFiles({ engine, version }: ServerVersion): number {
  return engine === 'mariadb' && compareVersions(version, '10.5') >= 0 ? 1 : 2;
}

function redoSize(facts: DatabaseFacts): Setting {
  const total = redoMb(facts);
  const basis =
    facts.redoMbPerHour === null
      ? `how much an hour writes is not known (fnrun doctor mysql measures it): ${limits.redoMbUnknown} MB at most`
      : `an hour writes ${facts.redoMbPerHour} MB`;
  const reason = `${basis}, between ${limits.redoMbMin} MB and half the pool; changed pages may then gather before they must be written, and recovery after a crash stays short`;
  if (isKnown('innodb_redo_log_capacity', facts)) {
    return { name: 'innodb_redo_log_capacity', value: total * mebibyte, unit: 'bytes', reason, dynamic: true };
  }
  const files = redoFiles(facts);
  return {
    name: 'innodb_log_file_size',
    value: Math.floor(total / files) * mebibyte,
    unit: 'bytes',
    reason: files === 1 ? reason : `one of ${files} files, ${total} MB in all; ${reason}`,
    // MariaDB since 10.9.
    dynamic: facts.engine === 'mariadb' && compareVersions(facts.version, '10.9') >= 0,
  };
}

function flushAtCommit({ relaxedCommits }: DatabaseFacts): Setting {
  const reason = relaxedCommits
    ? 'chosen with --relaxed-commits: a commit is handed to the kernel and synced once a second, so a power cut or a crash of the kernel loses up to a second of commits that were answered'
    : 'a commit that was answered is on the disk; 2 loses up to a second of them when the power fails, and must be chosen by name (--relaxed-commits)';
  return { name: 'innodb_flush_log_at_trx_commit', value: relaxedCommits ? 2 : 1, reason, dynamic: true };
}

function binaryLog(facts: DatabaseFacts): Setting[] {
  if (!facts.binlog) {
    return [
      {
        name: 'skip_log_bin',
        value: true,
        flag: true,
        reason:
          'no replica reads it, and with it every commit waits for a second sync; --binlog turns it on for replicas and point-in-time recovery',
        shows: { variable: 'log_bin', value: 'OFF' },
        dynamic: false,
      },
      {
        name: 'sync_binlog',
        value: 1,
        reason: "for the day somebody turns the binary log on (0 is MariaDB's default: a crash loses events)",
        dynamic: true,
      },
    ];
  }
  const week = 7;
  const expiry: Setting = isKnown('binlog_expire_logs_seconds', facts)
    ? {
        name: 'binlog_expire_logs_seconds',
        value: week * 86_400,
        reason: 'a week: without it the log fills the disk',
        dynamic: true,
      }
    : { name: 'expire_logs_days', value: week, reason: 'a week: without it the log fills the disk', dynamic: true };
  return [
    {
      name: 'log_bin',
      value: 'binlog',
      reason: 'chosen with --binlog: for replicas and point-in-time recovery, in the data folder',
      shows: { variable: 'log_bin', value: 'ON' },
      dynamic: false,
    },
    { name: 'server_id', value: 1, reason: 'the binary log needs one; each replica another', dynamic: true },
    {
      name: 'sync_binlog',
      value: facts.relaxedCommits ? 0 : 1,
      reason: facts.relaxedCommits
        ? 'as with the redo log: --relaxed-commits'
        : "the log and the tables agree after a crash; 0 is MariaDB's default and loses events",
      dynamic: true,
    },
    expiry,
  ];
}
