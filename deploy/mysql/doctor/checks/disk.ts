import type { DatabaseFacts } from '../../facts.ts';
import type { Finding } from '../finding.ts';

/** Fsynced writes a second below which a commit takes longer than 10 ms. */
const writesLeast = 100;

/** The disk itself. */
export function checkDisk({ disk, syncedWritesPerSecond }: DatabaseFacts): Finding[] {
  const findings: Finding[] = [];
  if (syncedWritesPerSecond !== null && syncedWritesPerSecond < writesLeast) {
    findings.push({
      id: 'slow-disk',
      severity: 'warning',
      what: `a synced write takes ${Math.round(1000 / syncedWritesPerSecond)} ms, and every commit waits for one`,
      measured: `${Math.round(syncedWritesPerSecond)} writes of 16 KiB a second, each with fdatasync`,
      todo: 'put several changes into one transaction, or the data on a faster disk',
    });
  }
  const wantsNone = disk.kind === 'nvme' || (disk.kind === 'virtual' && (disk.queues ?? 1) > 1);
  if (disk.name !== null && disk.scheduler !== null && wantsNone && disk.scheduler !== 'none') {
    findings.push({
      id: 'io-scheduler',
      severity: 'note',
      what: `${disk.name} has several queues and the I/O scheduler ${disk.scheduler}: none does less work for each request`,
      measured: `/sys/block/${disk.name}/queue/scheduler, ${disk.queues ?? 'several'} queues`,
      todo: `try it and measure: echo none > /sys/block/${disk.name}/queue/scheduler; a udev rule makes it stay (docs/mysql-server.md)`,
    });
  }
  return findings;
}
