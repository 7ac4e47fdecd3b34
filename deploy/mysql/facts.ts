import type { ServerVersion } from './engine.ts';

/** What is below the data folder. */
export type DiskKind = 'ssd' | 'nvme' | 'hdd' | 'virtual' | 'unknown';

export interface DiskFacts {
  /** `virtual`: a virtio or Xen disk, which often says it rotates whatever it is made of. */
  kind: DiskKind;
  /** Name of the whole disk in /sys/block; null when it was not found. */
  name: string | null;
  /** What the kernel believes. */
  rotational: boolean | null;
  /** The I/O scheduler in use. */
  scheduler: string | null;
  /** Hardware queues. */
  queues: number | null;
}

/** All that the configuration of a database server is made from. */
export interface DatabaseFacts extends ServerVersion {
  memoryMb: number;
  cores: number;
  disk: DiskFacts;
  /** Writes of 16 KiB a second, each followed by fsync, that this disk does; null when nobody measured. */
  syncedWritesPerSecond: number | null;
  /** Nothing but the database runs on the machine. */
  dedicated: boolean;
  /** Data and indexes together; null when unknown. */
  dataMb: number | null;
  /** The sum of the apps' `database.maxConnections`; null when unknown. */
  appConnections: number | null;
  /** Redo log written in a busy hour; null when unknown. */
  redoMbPerHour: number | null;
  /** Keep a binary log, for replicas and point-in-time recovery. */
  binlog: boolean;
  /** The named choice to lose up to a second of commits when the power fails. */
  relaxedCommits: boolean;
  /** Listen on 127.0.0.1 beside the unix socket. */
  tcp: boolean;
  /** Folder that logrotate looks after; null leaves the slow log in the data folder. */
  logDir: string | null;
}
