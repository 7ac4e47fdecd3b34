import { expect, test } from 'vitest';
import { parseServerVersion } from '../../../../deploy/mysql/engine.ts';
import { compareVersions } from '../../../../deploy/versions.ts';

test.each([
  ['mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)', 'mariadb', '10.11.19'],
  ['mysqld  Ver 10.5.29-MariaDB-1:10.5.29+maria~deb11 for debian-linux-gnu on x86_64', 'mariadb', '10.5.29'],
  ['/usr/sbin/mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)', 'mysql', '8.4.3'],
  ['mysqld  Ver 5.7.44-log for Linux on x86_64 (MySQL Community Server (GPL))', 'mysql', '5.7.44'],
  ['5.5.5-10.6.22-MariaDB-log', 'mariadb', '10.6.22'],
  ['8.0.45-0ubuntu0.24.04.1', 'mysql', '8.0.45'],
])('the version of %s is read', (text, engine, version) => {
  expect(parseServerVersion(text)).toEqual({ engine, version });
});

test('a text without a version is no server', () => {
  expect(parseServerVersion('mysqld: command not found')).toBeNull();
});

test('versions are compared by number', () => {
  expect(compareVersions('10.11', '10.6.22')).toBeGreaterThan(0);
  expect(compareVersions('8.0.9', '8.0.30')).toBeLessThan(0);
  expect(compareVersions('8.4', '8.4.0')).toBe(0);
});
