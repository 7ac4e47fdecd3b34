import type { MachineCheck } from './check.ts';
import { appSocketsCheck } from './checks/app-sockets.ts';
import { backupsCheck } from './checks/backups.ts';
import { certificatesCheck } from './checks/certificates.ts';
import { clockCheck } from './checks/clock.ts';
import { daemonCheck } from './checks/daemon.ts';
import { databaseCheck } from './checks/database.ts';
import { diskCheck } from './checks/disk.ts';
import { driftChecks } from './checks/drift.ts';
import { firewallCheck } from './checks/firewall.ts';
import { memoryCheck } from './checks/memory.ts';
import { nginxCheck } from './checks/nginx.ts';
import { portsCheck } from './checks/ports.ts';
import { rebootCheck } from './checks/reboot.ts';
import { roundTripsCheck } from './checks/round-trips.ts';
import { sshdCheck } from './checks/sshd.ts';
import { syncCheck } from './checks/sync.ts';
import { unitsCheck } from './checks/units.ts';
import { updatesCheck } from './checks/updates.ts';
import { versionsCheck } from './checks/versions.ts';

/** All that is looked at, in the order in which findings of one grade are told: what serves first. */
export const checks: readonly MachineCheck[] = [
  daemonCheck,
  nginxCheck,
  appSocketsCheck,
  certificatesCheck,
  syncCheck,
  databaseCheck,
  backupsCheck,
  diskCheck,
  memoryCheck,
  unitsCheck,
  clockCheck,
  sshdCheck,
  firewallCheck,
  portsCheck,
  versionsCheck,
  updatesCheck,
  rebootCheck,
  roundTripsCheck,
  ...driftChecks,
];
