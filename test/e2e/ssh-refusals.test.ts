import { existsSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram, startSshFixture, type Laptop, type SshFixture } from './ssh-fixture.ts';

// What a stolen deploy key is good for: pushing to the apps that it is for. sshd itself would allow all of this.
let fixture: SshFixture;
let ann: Laptop;
let target: string;

beforeAll(async () => {
  fixture = await startSshFixture();
  await fixture.server.createApp('shop');
  await fixture.server.createApp('blog');
  ann = await fixture.makeLaptop('ann', 'shop', '--app', 'shop');
  target = `${fixture.sshd.user}@127.0.0.1`;
});

afterAll(() => fixture[Symbol.asyncDispose]());

const oneLine = /^fnrun: (\S.*); the key "ann" may push to shop: git push, git clone, and fnrun COMMAND about apps\n$/;

test.each([
  ['a shell', [], 'there is no shell here'],
  ['a command', ['id'], 'this is no command of fnrun'],
  ['a command behind one of ours', ["git-receive-pack 'shop'; id"], 'the path of a repository is|of git there is push'],
  ['a command within one of ours', ['fnrun apps $(id)'], 'plain words'],
  ['another shell', ['/bin/sh', '-c', 'id'], 'this is no command of fnrun'],
  ['the app in a way that git does not write', ['git-receive-pack shop'], 'of git there is push'],
  ['another option of git', ["git-upload-pack --upload-pack='id' 'shop'"], 'of git there is push'],
  ['an archive', ["git-upload-archive 'shop'"], 'of git there is push'],
  ['a path out of the apps', ["git-receive-pack '../../etc'"], 'the path of a repository'],
  ['the path of another repository', ["git-receive-pack '/apps/blog/repo.git'"], 'the path of a repository'],
  ['two lines', ["git-receive-pack 'shop'\nid"], 'control characters'],
])('ssh with a deploy key for %s is refused in one line', async (_, command, why) => {
  const { code, stdout, stderr } = await ann.runSsh(['-T', target, ...command], 'id\n');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(oneLine);
  expect(oneLine.exec(stderr)?.[1]).toMatch(new RegExp(why));
});

test('terminal is refused', async () => {
  const { code, stdout, stderr } = await ann.runSsh(['-tt', target]);
  expect(code).not.toBe(0);
  expect(stdout + stderr).toContain('PTY allocation request failed');
});

test('repository of another app is refused', async () => {
  const refused = await ann.runSsh([target, "git-receive-pack 'blog'"]);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toBe(
    'fnrun: The key "ann" may not push to blog: it may push to shop; ask whoever runs the server for another key: fnrun keys add\n',
  );
});

test('forwarding to a port is refused by -L, -W and -D', async () => {
  const reached: number[] = [];
  await using inner = await listen((socket) => void reached.push(socket.remotePort ?? 0));
  // -W asks for the same channel that -L and -D open for each connection.
  const through = await ann.runSsh(['-W', `127.0.0.1:${inner.port}`, target], 'hello');
  expect(through.code).not.toBe(0);
  expect(through.stderr).toMatch(/administratively prohibited|stdio forwarding failed/);
  expect(reached).toEqual([]);
});

test('forwarding from a port of the server is refused by -R', async () => {
  const { code, stderr } = await ann.runSsh(['-o', 'ExitOnForwardFailure=yes', '-R', '0:127.0.0.1:9', target]);
  expect(code).not.toBe(0);
  expect(stderr).toContain('remote port forwarding failed');
});

test('agent, X11, terminals and the rc file of a user are off for the key', async () => {
  const { code, stderr } = await ann.runSsh(['-A', '-X', '-v', target, 'fnrun apps']);
  expect(code).toBe(0);
  // sshd lists what a key may: of agent-forwarding, port-forwarding, pty, user-rc and x11-forwarding there is nothing.
  const options = stderr.match(/key options: .*/g) ?? [];
  expect(new Set(options.map((line) => line.trim()))).toEqual(new Set(['key options: command']));
});

test('files are not copied by sftp and scp', async () => {
  const { port, folder } = fixture.sshd;
  const file = join(folder, 'loot');
  await writeFile(file, 'x');
  const config = ann.ssh.split(' ')[2]!;
  const options = ['-F', config, '-P', String(port)];
  const stolen = join(folder, 'stolen');
  const words = 'fnrun: files are not copied here; the key "ann" may push to shop';
  for (const [program, args, said] of [
    // sshd drops what a subsystem says on standard error.
    ['sftp', [...options, '-b', '/dev/null', target], 'Connection closed'],
    ['scp', ['-s', ...options, file, `${target}:${stolen}`], 'Connection closed'],
    ['scp', ['-O', ...options, file, `${target}:${stolen}`], words],
    ['scp', ['-O', ...options, `${target}:/etc/passwd`, stolen], words],
  ] as const) {
    const { code, stderr } = await runProgram(program, args);
    expect(code, stderr).not.toBe(0);
    expect(stderr).toContain(said);
  }
  expect(existsSync(stolen)).toBe(false);
});

test('environment of the client does not reach git', async () => {
  const pushed = await ann.runSsh(
    [
      '-o',
      'SetEnv=GIT_PROTOCOL=version=2:evil GIT_TRACE=1 GIT_CONFIG_COUNT=x LC_ALL=C',
      target,
      "git-upload-pack 'shop'",
    ],
    '0000',
  );
  expect(pushed).toMatchObject({ code: 0, stderr: '' });
  // With GIT_TRACE git would have said much, with GIT_CONFIG_COUNT failed, and with version 2 begun with it.
  expect(pushed.stdout).toBe('0000');
});

test.each([
  [['serve'], 'fnrun serve does not run over ssh'],
  [['dev'], 'fnrun dev does not run over ssh'],
  [['receive', '--key', '0123456789abcdef'], 'fnrun receive does not run over ssh'],
  [['apps', '--home', '/tmp'], '--home is not for the other end of ssh'],
  [['apps', '--remote', 'fnrun'], '--remote is not for the other end of ssh'],
  [['invoke', 'shop', '/', '-d', '@/etc/passwd'], 'Files of the server are not read'],
  [['invoke', 'blog', '/'], 'The key "ann" may not change blog: it may push to shop'],
  [['logs', 'blog'], 'The key "ann" may not look at blog: it may push to shop'],
  [['rollback', 'blog'], 'The key "ann" may not change blog'],
  [['apps', 'create', 'more'], 'The key "ann" may not make apps'],
  [['apps', 'remove', 'shop'], 'The key "ann" may not do this'],
  [['keys'], 'The key "ann" may not do this'],
  [['keys', 'remove', 'ann'], 'The key "ann" may not do this'],
])('fnrun %j over ssh is refused in one line', async (args, why) => {
  const { code, stdout, stderr } = await ann.runSsh([target, 'fnrun', ...args]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^fnrun: [^\n]+\n$/);
  expect(stderr).toContain(why);
});

test('lists show a key its own apps only', async () => {
  const apps = JSON.parse((await ann.runSsh([target, 'fnrun apps --json'])).stdout) as { name: string }[];
  const ps = JSON.parse((await ann.runSsh([target, 'fnrun ps --json'])).stdout) as { apps: { app: string }[] };
  expect([apps.map(({ name }) => name), ps.apps.map(({ app }) => app)]).toEqual([['shop'], ['shop']]);
});

interface Listener extends AsyncDisposable {
  port: number;
}

async function listen(onConnection: (socket: Socket) => void): Promise<Listener> {
  const server = createServer((socket) => {
    onConnection(socket);
    socket.end('secret');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.asyncDispose]: async () => void server.close() };
}
