import { expect, test } from 'vitest';
import { judgeDisk, readDisks } from '../../../../deploy/doctor/checks/disk.ts';
import { judgeMemory, readMemory } from '../../../../deploy/doctor/checks/memory.ts';
import { judgePorts, readListeners } from '../../../../deploy/doctor/checks/ports.ts';
import { judgeSshd, readSettings } from '../../../../deploy/doctor/checks/sshd.ts';
import { readUpgrades } from '../../../../deploy/doctor/checks/updates.ts';
import type { MachineFacts } from '../../../../deploy/server/facts.ts';
import { defaultWishes } from '../../../../deploy/server/wishes.ts';

// What the programs print is as Debian's printed it, cut to a few lines.
const ids = (findings: readonly { id: string; severity: string }[]): string[] =>
  findings.map(({ id, severity }) => `${severity} ${id}`);

test('df: space and inodes of each disk, once', () => {
  const disks = readDisks(
    [
      'blocks /dev/vda         264212084 30984796  75406116      30% /',
      'inodes /dev/vda       16777216 581910 16195306    4% /',
      'blocks /dev/vda         264212084 30984796  75406116      30% /',
      'inodes /dev/vda       16777216 581910 16195306    4% /',
      'blocks /dev/mapper/vg-var lib    100000 99000      1000      99% /var/my data',
      'inodes btrfs          0     0      0     - /var/my data',
    ].join('\n'),
  );
  expect(disks).toEqual([
    { mount: '/', freeMb: 73638, usedShare: expect.closeTo(0.291, 2), inodeShare: expect.closeTo(0.035, 2) },
    { mount: '/var/my data', freeMb: 0, usedShare: 0.99, inodeShare: null },
  ]);
  expect(disks.flatMap(judgeDisk).map(({ id, severity }) => [id, severity])).toEqual([['disk-full', 'critical']]);
});

test('a disk is told when share and space are both little, and inodes by themselves', () => {
  const disk = { mount: '/', freeMb: 50_000, usedShare: 0.5, inodeShare: 0.1 };
  expect(judgeDisk(disk)).toEqual([]);
  // A tenth of a terabyte is plenty.
  expect(judgeDisk({ ...disk, usedShare: 0.9, freeMb: 100_000 })).toEqual([]);
  expect(ids(judgeDisk({ ...disk, usedShare: 0.9, freeMb: 2_000 }))).toEqual(['warning disk-full']);
  expect(ids(judgeDisk({ ...disk, usedShare: 0.96, freeMb: 20_000 }))).toEqual(['critical disk-full']);
  expect(ids(judgeDisk({ ...disk, inodeShare: 0.9 }))).toEqual(['warning inodes-used-up']);
});

const meminfo = (available: number, swapTotal: number, swapFree: number): string =>
  `MemTotal:        2016804 kB\nMemFree:          105388 kB\nMemAvailable:   ${available} kB\nSwapTotal:      ${swapTotal} kB\nSwapFree:       ${swapFree} kB\n`;
const pressure = (avg: string): string =>
  `some avg10=0.00 avg60=0.10 avg300=${avg} total=1234\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=99\n`;

test('/proc/meminfo, pressure and the count of killed programs', () => {
  const at = (text: string) => judgeMemory(readMemory(text)!, { severity: 'warning', container: false });
  expect(readMemory(`${meminfo(1_500_000, 1_048_572, 1_048_572)}${pressure('0.55')}oom_kill 3\n`)).toEqual({
    totalMb: 1969,
    availableMb: 1464,
    swapMb: 1023,
    swapUsedMb: 0,
    pressure: expect.closeTo(0.0055, 6),
    oomKills: 3,
  });
  expect(at(meminfo(1_500_000, 1_048_572, 1_048_572) + pressure('0.55'))).toEqual([]);
  expect(ids(at(meminfo(60_000, 1_048_572, 100_000) + pressure('31.20')))).toEqual([
    'warning memory-low',
    'warning memory-pressure',
    'warning swap-used-up',
  ]);
  expect(ids(at(meminfo(1_500_000, 0, 0)))).toEqual(['warning no-swap']);
  expect(readMemory('')).toBeNull();
});

test('apt-get -s: what waits, and what of it is for security', () => {
  const text = [
    'Inst base-files [12.4+deb12u11] (12.4+deb12u15 Debian:12.15/oldstable [amd64])',
    'Conf base-files (12.4+deb12u15 Debian:12.15/oldstable [amd64])',
    'Inst libgcrypt20 [1.10.1-3] (1.10.1-3+deb12u1 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64])',
    'Inst liblzma-dev [5.4.1-1] (5.4.1-1+deb12u2 Debian-Security:12/oldstable-security [amd64]) []',
    'Inst openssl [3.0.13-0ubuntu3.4] (3.0.13-0ubuntu3.5 Ubuntu:24.04/noble-updates, Ubuntu:24.04/noble-security [amd64])',
    'Inst linux-image-6.1.0-44-cloud-amd64 (6.1.164-1 Debian-Security:12/oldstable-security [amd64])',
  ].join('\n');
  expect(readUpgrades(text)).toEqual({
    all: ['base-files', 'libgcrypt20', 'liblzma-dev', 'openssl'],
    security: ['libgcrypt20', 'liblzma-dev', 'openssl'],
  });
});

const facts = { sshPorts: [22] } as MachineFacts;

test('ss: what others can reach, beside what a server has', () => {
  const open = readListeners(
    [
      'udp UNCONN 0      0            0.0.0.0:68        0.0.0.0:*    users:(("dhclient",pid=289,fd=7))',
      'tcp LISTEN 0      128          0.0.0.0:22        0.0.0.0:*    users:(("sshd",pid=340,fd=3))',
      'tcp LISTEN 0      128             [::]:22           [::]:*    users:(("sshd",pid=340,fd=4))',
      'tcp LISTEN 0      511          0.0.0.0:80        0.0.0.0:*    users:(("nginx",pid=26055,fd=5),("nginx",pid=26054,fd=5))',
      'tcp LISTEN 0      80                 *:3306             *:*    users:(("mariadbd",pid=26191,fd=21))',
      'tcp LISTEN 0      4096   127.0.0.53%lo:53        0.0.0.0:*    users:(("systemd-resolve",pid=500,fd=14))',
      'tcp LISTEN 0      128          0.0.0.0:2024      0.0.0.0:*',
    ].join('\n'),
  );
  expect(open.map(({ protocol, address, port, program }) => [protocol, address, port, program])).toEqual([
    ['udp', '0.0.0.0', 68, 'dhclient'],
    ['tcp', '0.0.0.0', 22, 'sshd'],
    ['tcp', '::', 22, 'sshd'],
    ['tcp', '0.0.0.0', 80, 'nginx'],
    ['tcp', '*', 3306, 'mariadbd'],
    ['tcp', '127.0.0.53', 53, 'systemd-resolve'],
    ['tcp', '0.0.0.0', 2024, null],
  ]);
  const reachable = open.filter(({ address }) => !address.startsWith('127.'));
  expect(ids(judgePorts(reachable, { wishes: defaultWishes, facts }))).toEqual([
    'warning database-port-open',
    'note port-open',
  ]);
  // Somebody's own machine may have what it likes, but for a database that all can reach.
  expect(ids(judgePorts(reachable, { wishes: null, facts }))).toEqual(['warning database-port-open']);
});

test('sshd -T: who may log in', () => {
  const settings = readSettings(
    'port 22\npermitrootlogin without-password\npasswordauthentication yes\nkbdinteractiveauthentication no\npubkeyauthentication yes\npermitemptypasswords no\nx11forwarding yes\nport 2222\n',
  );
  expect(settings).toMatchObject({ port: '22', passwordauthentication: 'yes' });
  expect(ids(judgeSshd(settings, { severity: 'warning' }))).toEqual([
    'warning sshd-passwordauthentication',
    'note sshd-x11forwarding',
  ]);
  expect(
    judgeSshd({ ...settings, passwordauthentication: 'no', x11forwarding: 'no' }, { severity: 'warning' }),
  ).toEqual([]);
});
