import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSshCommand } from '../../../cli/receive/parse-command.ts';

test.each([
  ["git-receive-pack 'shop'", { kind: 'git', service: 'receive-pack', app: 'shop' }],
  ["git-receive-pack 'shop.git'", { kind: 'git', service: 'receive-pack', app: 'shop' }],
  ["git-receive-pack '/shop'", { kind: 'git', service: 'receive-pack', app: 'shop' }],
  ["git-upload-pack '/shop.git'", { kind: 'git', service: 'upload-pack', app: 'shop' }],
  ['fnrun --args-from-stdin', { kind: 'cli', args: null }],
  ['fnrun', { kind: 'cli', args: [] }],
  ['fnrun deploys shop --json', { kind: 'cli', args: ['deploys', 'shop', '--json'] }],
  ["fnrun logs shop --function 'users/[id]'", { kind: 'cli', args: ['logs', 'shop', '--function', 'users/[id]'] }],
  ["fnrun invoke shop /a -d 'it'\\''s $HOME'", { kind: 'cli', args: ['invoke', 'shop', '/a', '-d', "it's $HOME"] }],
  ["fnrun invoke shop /a -d ''", { kind: 'cli', args: ['invoke', 'shop', '/a', '-d', ''] }],
])('parseSshCommand takes %j', (command, request) => {
  expect(parseSshCommand(command)).toEqual(request);
});

test.each([
  undefined,
  '',
  'sh',
  '/bin/sh -i',
  'fnrunx',
  '/usr/bin/fnrun apps',
  'git-receive-pack shop',
  'git-receive-pack "shop"',
  "git-receive-pack  'shop'",
  "git-receive-pack 'shop' ",
  "git-receive-pack 'shop'; sh",
  "git-receive-pack 'shop' 'blog'",
  "git-receive-pack '../shop'",
  "git-receive-pack '/apps/../shop'",
  "git-receive-pack '//shop'",
  "git-receive-pack '/var/lib/fnrun/apps/shop/repo.git'",
  "git-receive-pack '~/shop'",
  "git-receive-pack '-shop'",
  "git-receive-pack 'shop.git.git'",
  "git-receive-pack 'shop/'",
  "git-receive-pack 'Shop'",
  "git-receive-pack ''",
  "git-receive-pack 'sh'\\''op'",
  "git-receive-pack --advertise-refs 'shop'",
  "git-receive-pack --upload-pack='sh' 'shop'",
  "git-upload-pack --timeout=1 'shop'",
  "git-upload-archive 'shop'",
  "git receive-pack 'shop'",
  "git-shell -c 'x'",
  "git-receive-pack 'shop\n'",
  "git-receive-pack 'shop'\n",
  "git-receive-pack 'shop\0'",
  'internal-sftp',
  '/usr/lib/openssh/sftp-server',
  'scp -t /tmp/x',
  'rsync --server . .',
  'fnrun apps; sh',
  'fnrun apps && sh',
  'fnrun apps | sh',
  'fnrun $(sh)',
  'fnrun `sh`',
  'fnrun "apps"',
  'fnrun  apps',
  'fnrun apps ',
  "fnrun 'apps",
  'fnrun a\\ b',
  'fnrun apps\nsh',
  ` fnrun apps`,
  `fnrun ${'a'.repeat(9_000)}`,
])('parseSshCommand refuses %j', (command) => {
  expect(parseSshCommand(command)).toMatchObject({ kind: 'refused', why: expect.stringMatching(/^\S.*[^.]$/) });
});

test('parseSshCommand gives back words as a shell would have quoted them', () => {
  const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
  const word = fc.string().filter((text) => !/\p{Cc}/u.test(text));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 5 }), (args) => {
      expect(parseSshCommand(['fnrun', ...args.map(quote)].join(' '))).toEqual({ kind: 'cli', args });
    }),
  );
});
