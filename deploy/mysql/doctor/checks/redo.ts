import { databaseServerLimits } from '../../../../runtime/contract/limits.ts';
import { redoFiles } from '../../settings/redo.ts';
import type { Finding } from '../finding.ts';
import { rate, total, uptimeSeconds, variable, type ServerReading } from '../reading.ts';
import { changeTo } from '../remedy.ts';
import { figure, megabytes, percent, sinceStart } from '../words.ts';

/** Beyond it the server begins to write pages in a hurry, and all wait. */
const ageMost = 0.75;

/** The redo log: how much of it is in use, and how long it lasts. */
export function checkRedo(reading: ServerReading): Finding[] {
  const size = redoBytes(reading);
  const age = checkpointAge(reading);
  const findings: Finding[] = [];
  if (size > 0 && age > size * ageMost) {
    const larger = Math.min(size * 2, databaseServerLimits.redoMbMax * 2 ** 20);
    findings.push({
      id: 'redo-log-full',
      severity: 'warning',
      what: `${percent(age / size)} of the redo log is in use: at the end of it all writes wait for pages to be flushed`,
      measured: `checkpoint age ${megabytes(age)} of ${megabytes(size)}, ${figure((redoBytesPerSecond(reading) * 3600) / 2 ** 20)} MB an hour at the rate of now`,
      todo: resize(reading, larger),
    });
  }
  const waits = total(reading, 'innodb_log_waits');
  if (waits > 0) {
    findings.push({
      id: 'redo-buffer-waits',
      severity: rate(reading, 'innodb_log_waits') > 0 ? 'warning' : 'note',
      what: 'transactions waited for room in the log buffer',
      measured: `Innodb_log_waits ${waits} ${sinceStart(reading)}`,
      todo: `put into the option file: innodb_log_buffer_size = ${(variable(reading, 'innodb_log_buffer_size') * 2) / 2 ** 20}M; then restart the server`,
    });
  }
  return findings;
}

/** Redo log of an hour in mebibytes, from the whole uptime; null when that is less than an hour. */
export function redoMbPerHour(reading: ServerReading): number | null {
  const uptime = uptimeSeconds(reading);
  if (uptime < 3_600) return null;
  return Math.max(1, Math.ceil((total(reading, 'innodb_os_log_written') / uptime) * (3_600 / 2 ** 20)));
}

export function redoBytesPerSecond(reading: ServerReading): number {
  return Math.max(
    rate(reading, 'innodb_lsn_current'),
    rate(reading, 'innodb_redo_log_current_lsn'),
    rate(reading, 'innodb_os_log_written'),
  );
}

function redoBytes(reading: ServerReading): number {
  // Both servers keep a part for themselves; MariaDB tells what is left.
  const told = total(reading, 'innodb_checkpoint_max_age');
  if (told > 0) return told;
  const capacity = variable(reading, 'innodb_redo_log_capacity');
  if (capacity > 0) return capacity;
  return variable(reading, 'innodb_log_file_size') * redoFiles(reading.server);
}

function checkpointAge(reading: ServerReading): number {
  const told = total(reading, 'innodb_checkpoint_age');
  if (told > 0) return told;
  return total(reading, 'innodb_redo_log_current_lsn') - total(reading, 'innodb_redo_log_checkpoint_lsn');
}

function resize(reading: ServerReading, bytes: number): string {
  const { server, variables } = reading;
  if (variables['innodb_redo_log_capacity'] !== undefined) return changeTo('innodb_redo_log_capacity', bytes, server);
  const each = Math.floor(bytes / redoFiles(server) / 2 ** 20);
  return `put into the option file: innodb_log_file_size = ${each}M; then restart the server`;
}
