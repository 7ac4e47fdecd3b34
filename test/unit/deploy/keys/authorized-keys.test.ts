import { lstat, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderKeyLine, replaceOwnLines, writeAuthorizedKeys } from '../../../../deploy/keys/authorized-keys.ts';
import { makeTempDir } from '../../../support/temp-dir.ts';

const key = { id: '0123456789abcdef', name: 'ann@laptop', type: 'ssh-ed25519', blob: 'AAAA' };
const home = '/var/lib/fnrun';

test('renderKeyLine names Node, launcher, key and home in the forced command', () => {
  expect(renderKeyLine(key, { node: '/usr/bin/node', launcher: '/opt/fnrun/cli/fnrun.js', home })).toBe(
    'restrict,command="exec /usr/bin/node /opt/fnrun/cli/fnrun.js receive --key 0123456789abcdef --home /var/lib/fnrun" ssh-ed25519 AAAA fnrun:ann@laptop',
  );
});

test('renderKeyLine lets no path end the command or the option', () => {
  // As sshd reads the option (\" is a quote, any other backslash itself), and sh its result.
  const sshd = (line: string): string =>
    /^restrict,command="((?:\\"|[^"])*)" ssh-ed25519 /.exec(line)![1]!.replaceAll('\\"', '"');
  const sh = (text: string): string[] =>
    [...text.matchAll(/(?:[^\s'\\]|'[^']*'|\\')+/g)].map(([word]) =>
      word.replace(/'([^']*)'|\\'/g, (part, inner: string | undefined) => (part === "\\'" ? "'" : (inner ?? ''))),
    );
  const path = fc.string({ unit: fc.constantFrom('"', "'", '\\', ' ', '$', '`', ',', 'a', '/'), maxLength: 12 });
  fc.assert(
    fc.property(path, (odd) => {
      const line = renderKeyLine(key, { node: '/n', launcher: '/l', home: `/${odd}` });
      expect(sh(sshd(line))).toEqual(['exec', '/n', '/l', 'receive', '--key', key.id, '--home', `/${odd}`]);
    }),
  );
});

test('renderKeyLine refuses a path that would begin another line', () => {
  expect(() => renderKeyLine(key, { node: '/n', launcher: '/l', home: '/a\nssh-rsa AAAA' })).toThrow('control');
});

test('replaceOwnLines leaves foreign lines as they are', () => {
  const foreign = '# mine\nssh-ed25519 BBBB me';
  const once = replaceOwnLines(foreign, { home, lines: ['one'] });
  expect(once.startsWith(`${foreign}\n# BEGIN`)).toBe(true);
  const after = `${once}# behind\r\nssh-rsa CCCC you\n`;
  const twice = replaceOwnLines(after, { home, lines: ['two', 'three'] });
  expect(twice).toBe(after.replace('one\n', 'two\nthree\n'));
  expect(replaceOwnLines(twice, { home, lines: [] })).toBe(`${foreign}\n# behind\r\nssh-rsa CCCC you\n`);
});

test('replaceOwnLines touches no lines of another home', () => {
  const other = replaceOwnLines('', { home: '/srv/fnrun', lines: ['theirs'] });
  const both = replaceOwnLines(other, { home, lines: ['ours'] });
  expect(both.startsWith(other)).toBe(true);
  expect(replaceOwnLines(both, { home, lines: [] })).toBe(other);
});

test('replaceOwnLines keeps what stands behind a part whose end was deleted', () => {
  const own = replaceOwnLines('', { home, lines: ['restrict ssh-ed25519 AAAA fnrun:ann'] });
  const cut = `${own.replace(/# END.*\n/, '')}ssh-ed25519 BBBB me\n`;
  expect(replaceOwnLines(cut, { home, lines: [] })).toBe('ssh-ed25519 BBBB me\n');
});

test('writeAuthorizedKeys makes the file for its owner only, and keeps a link to it', async () => {
  await using dir = await makeTempDir('fn-');
  const file = join(dir.path, 'ssh/authorized_keys');
  await writeAuthorizedKeys(file, { home, lines: ['one'] });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const real = join(dir.path, 'real');
  const link = join(dir.path, 'link');
  await writeFile(real, 'foreign\n', { mode: 0o644 });
  await symlink(real, link);
  await writeAuthorizedKeys(link, { home, lines: ['one'] });
  expect((await lstat(link)).isSymbolicLink()).toBe(true);
  expect(await readFile(real, 'utf8')).toMatch(/^foreign\n# BEGIN.*\none\n# END.*\n$/);
  expect((await stat(real)).mode & 0o777).toBe(0o600);
});
