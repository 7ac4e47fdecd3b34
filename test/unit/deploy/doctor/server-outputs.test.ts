import { expect, test } from 'vitest';
import { readUfw } from '../../../../deploy/doctor/checks/firewall.ts';
import { judgeUnit, readFailed, readUnits } from '../../../../deploy/doctor/checks/units.ts';

test('ufw status verbose: whether it is on, and what it lets in from anywhere', () => {
  const text = [
    'Status: active',
    'Logging: on (low)',
    'Default: deny (incoming), allow (outgoing), disabled (routed)',
    'New profiles: skip',
    '',
    'To                         Action      From',
    '--                         ------      ----',
    '22/tcp (OpenSSH)           LIMIT IN    Anywhere                  ',
    '80,443/tcp (Nginx Full)    ALLOW IN    Anywhere',
    '8443/tcp                   ALLOW IN    Anywhere                   # fnrun: https',
    '8080/tcp                   ALLOW IN    10.1.0.0/16                # Anywhere',
    '3306/tcp                   ALLOW IN    10.0.0.0/8',
    '25/tcp                     DENY IN     Anywhere',
    '51820/udp                  ALLOW IN    Anywhere',
    '2222/tcp (v6)              ALLOW IN    Anywhere (v6)',
  ].join('\n');
  const { active, incoming, allowed } = readUfw(text);
  expect([active, incoming, [...allowed]]).toEqual([true, 'deny', [22, 80, 443, 8443]]);
  expect(readUfw('Status: inactive\n').active).toBe(false);
});

test('systemctl: failed units, and those of a server that do not run or would not start', () => {
  expect(
    readFailed(
      '● fnrun-backup.service loaded failed failed Nightly backups\nnginx.service loaded failed failed A server\n',
    ),
  ).toEqual(['fnrun-backup.service', 'nginx.service']);
  expect(readFailed('')).toEqual([]);
  const units = readUnits(
    [
      'Id=fnrun.service LoadState=loaded ActiveState=active SubState=running UnitFileState=enabled NRestarts=2 Result=success ',
      'Id=nginx.service LoadState=loaded ActiveState=inactive SubState=dead UnitFileState=disabled NRestarts=0 Result=success ',
      'Id=mariadb.service LoadState=not-found ActiveState=inactive SubState=dead UnitFileState= ',
      'Id=fnrun-sync.timer LoadState=loaded ActiveState=active SubState=waiting UnitFileState=disabled Result=success ',
      'Id=ssh.service LoadState=loaded ActiveState=active SubState=running UnitFileState=enabled NRestarts=0 Result=success ',
    ].join('\n'),
  );
  const told = units.map((unit) =>
    judgeUnit(unit, { needed: unit.id !== 'fnrun-sync.timer' }).map(({ severity, id }) => `${severity} ${id}`),
  );
  expect(told).toEqual([
    ['warning unit-restarted'],
    ['critical unit-not-running'],
    ['critical unit-missing'],
    ['warning unit-not-enabled'],
    [],
  ]);
});
