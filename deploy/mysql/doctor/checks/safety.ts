import { engineNames } from '../../engine.ts';
import { endOfLife } from '../../end-of-life.ts';
import type { Finding } from '../finding.ts';
import { isOn, variable, type ServerReading } from '../reading.ts';
import { changeTo } from '../remedy.ts';

/** Durability, who gets in, and whether anybody still mends the server. */
export function checkSafety(reading: ServerReading, { now }: { now: Date }): Finding[] {
  return [...durability(reading), ...listening(reading), ...accounts(reading), ...support(reading, now)];
}

function durability(reading: ServerReading): Finding[] {
  const findings: Finding[] = [];
  const measured = 'SHOW GLOBAL VARIABLES';
  // MySQL has DETECT_AND_RECOVER and DETECT_ONLY too.
  const doublewrite = reading.variables['innodb_doublewrite'] ?? 'ON';
  if (/^(OFF|0|DETECT_ONLY)$/i.test(doublewrite)) {
    findings.push({
      id: 'doublewrite-off',
      severity: 'critical',
      what: `innodb_doublewrite is ${doublewrite}: a page that is half written when the power fails is lost`,
      measured,
      todo: 'put into the option file: innodb_doublewrite = ON; then restart the server',
    });
  }
  if (isOn(reading, 'log_bin') && variable(reading, 'sync_binlog') !== 1) {
    findings.push({
      id: 'binlog-not-synced',
      severity: 'warning',
      what: `the binary log is on and sync_binlog is ${variable(reading, 'sync_binlog')}: a crash leaves it and the tables unlike`,
      measured,
      todo: `${changeTo('sync_binlog', 1, reading.server)}; without replicas: skip_log_bin in the option file`,
    });
  }
  return findings;
}

function listening(reading: ServerReading): Finding[] {
  const address = reading.variables['bind_address'] ?? '';
  if (isOn(reading, 'skip_networking')) return [];
  const open = address.split(',').filter((one) => !/^(127\.|::1$|localhost$)/.test(one.trim()));
  if (open.length === 0) return [];
  return [
    {
      id: 'listens-to-the-network',
      severity: 'critical',
      what: `the server listens on ${address === '' ? 'every address' : address}, port ${variable(reading, 'port')}`,
      measured: 'bind_address and skip_networking',
      todo: 'put into the option file: skip_networking = ON, or bind_address = 127.0.0.1; then restart the server',
    },
  ];
}

function accounts({ accounts, server }: ServerReading): Finding[] {
  const measured = 'mysql.user';
  if (accounts === null) {
    return [
      {
        id: 'accounts-not-seen',
        severity: 'note',
        what: 'who may log in was not looked at: this user may not read mysql.user',
        measured,
        todo: 'run it as root: sudo fnrun doctor mysql --socket /run/mysqld/mysqld.sock',
      },
    ];
  }
  const isLocal = (host: string): boolean => /^(localhost|127\.|::1$)/.test(host);
  const named = ({ user, host }: { user: string; host: string }): string => `'${escape(user)}'@'${escape(host)}'`;
  return accounts.flatMap((account): Finding[] => {
    const name = named(account);
    const drop = `DROP USER ${name};`;
    if (account.user === '') {
      return [
        { id: 'anonymous-account', severity: 'critical', what: `anybody may log in as ${name}`, measured, todo: drop },
      ];
    }
    if (account.open) {
      // root of the machine is root of the server, by the socket, and nobody else is.
      const bySocket = server.engine === 'mariadb' ? 'IDENTIFIED VIA unix_socket' : 'IDENTIFIED WITH auth_socket';
      const local = account.user === 'root' && account.host === 'localhost';
      const todo = local ? `ALTER USER ${name} ${bySocket};` : `ALTER USER ${name} IDENTIFIED BY '…'; or ${drop}`;
      return [
        { id: 'account-without-password', severity: 'critical', what: `${name} has no password`, measured, todo },
      ];
    }
    if (account.user === 'root' && !isLocal(account.host)) {
      return [
        {
          id: 'remote-root',
          severity: 'critical',
          what: `root may log in from afar, as ${name}`,
          measured,
          todo: drop,
        },
      ];
    }
    if (account.user !== 'root' && account.everywhere) {
      const todo = `REVOKE ALL PRIVILEGES, GRANT OPTION FROM ${name}; GRANT ALL ON its_schema.* TO ${name};`;
      return [{ id: 'rights-everywhere', severity: 'note', what: `${name} may read every schema`, measured, todo }];
    }
    return [];
  });
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "''");
}

function support({ server }: ServerReading, now: Date): Finding[] {
  const until = endOfLife(server);
  if (until === null) return [];
  const days = Math.floor((Date.parse(until) - now.getTime()) / 86_400_000);
  if (days > 180) return [];
  const name = `${engineNames[server.engine]} ${server.version}`;
  return [
    {
      id: 'end-of-life',
      severity: days < 0 ? 'warning' : 'note',
      what:
        days < 0 ? `${name} got its last fixes from its makers on ${until}` : `${name} gets fixes until ${until} only`,
      measured: "SELECT VERSION() beside the makers' calendar",
      todo: `move to ${server.engine === 'mariadb' ? 'MariaDB 11.4 or 11.8' : 'MySQL 8.4'}, after a dump (mariadb-dump or mysqldump --all-databases)`,
    },
  ];
}
