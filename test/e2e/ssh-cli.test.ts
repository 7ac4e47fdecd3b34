import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { commitAll, git } from '../support/git.ts';
import { writeTree } from '../support/temp-dir.ts';
import { startSshFixture, type Laptop, type SshFixture } from './ssh-fixture.ts';

let fixture: SshFixture;
let ann: Laptop;

/** Two releases of `shop`, pushed over ssh. */
beforeAll(async () => {
  fixture = await startSshFixture();
  await fixture.server.createApp('shop');
  ann = await fixture.makeLaptop('ann', 'shop', '--app', 'shop');
  for (const version of ['one', 'two']) {
    await writeTree(ann.dir, {
      'functions/index.ts': `export default async (request, ctx) => { ctx.log.info('asked'); return new Response('${version} ' + await request.text()); };\n`,
      'functions/large/index.ts': `export default () => new Response('x'.repeat(3_000_000));\n`,
    });
    await commitAll(ann.dir, `Version ${version}`);
    const pushed = await ann.git('push', 'fnrun', 'main');
    if (pushed.code !== 0) throw new Error(pushed.output);
  }
}, 120_000);

afterAll(() => fixture[Symbol.asyncDispose]());

test('command about an app runs on the server of the git remote, which also names the app', async () => {
  const apps = await ann.fnrun(['apps']);
  expect(apps.stdout, apps.stderr).toMatch(/^APP +LIVE .+\nshop +[0-9a-f]{16} /);
  const named = await ann.fnrun(['deploys', 'shop', '--json']);
  const left = await ann.fnrun(['deploys', '--json']);
  expect(left.stdout).toBe(named.stdout);
  expect(JSON.parse(left.stdout)).toMatchObject([{ key: 'ann', live: true }, { key: 'ann' }]);
  expect((await ann.fnrun(['ps', 'shop'])).stdout).toMatch(/^memory /m);
});

test('exit codes and errors of the server come through', async () => {
  const missing = await ann.fnrun(['rollback', 'shop', 'ffff']);
  expect(missing).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^fnrun: shop has no release ffff.*\n$/),
  });
  const json = await ann.fnrun(['deploys', 'other', '--json']);
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'FN_FORBIDDEN' } });
  expect(await ann.fnrun(['deploys', '--nonsense'])).toMatchObject({ code: 2 });
  expect(await ann.fnrun(['logs', '--lines', 'many'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--lines'),
  });
});

test('rollback and redeploy over ssh are recorded with the key', async () => {
  const back = await ann.fnrun(['rollback']);
  expect(back.stdout, back.stderr).toMatch(/^shop now serves [0-9a-f]{16}, commit /);
  expect((await ann.fnrun(['invoke', '/'])).stdout).toBe('one ');
  const deploys = JSON.parse((await ann.fnrun(['deploys', '--json'])).stdout) as { release: string }[];
  expect(deploys[0]).toMatchObject({ source: 'rollback', key: 'ann', live: true });
  expect((await ann.fnrun(['redeploy', 'shop', deploys[1]!.release])).code).toBe(0);
  expect((await ann.fnrun(['invoke', '/'])).stdout).toBe('two ');
});

test('arguments arrive as they are, whatever is in them', async () => {
  const body = `it's "quoted" $HOME \`id\` \\ ; | & * \n-- --json ü`;
  expect((await ann.fnrun(['invoke', '/', `--data=${body}`])).stdout).toBe(`two ${body}`);
});

test('input comes from standard input and from files of the laptop', async () => {
  expect((await ann.fnrun(['invoke', '/', '-d', '@-'], { input: 'from stdin' })).stdout).toBe('two from stdin');
  await mkdir(join(ann.dir, 'data'), { recursive: true });
  await writeFile(join(ann.dir, 'data/body'), 'from a file\n');
  expect((await ann.fnrun(['invoke', '/', '-d', '@data/body'])).stdout).toBe('two from a file\n');
  const missing = await ann.fnrun(['invoke', '/', '-d', '@data/nothing']);
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('data/nothing') });
});

test('large output comes whole', async () => {
  expect((await ann.fnrun(['invoke', '/large'])).stdout).toHaveLength(3_000_000);
});

test('logs -f shows lines as they come, ends with 0 at Ctrl-C, and so does its end on the server', async () => {
  await ann.fnrun(['invoke', '/']);
  const logs = await ann.startFnrun(['logs', '-f'], { ready: /info +index asked/ });
  const [key] = JSON.parse((await fixture.here('keys', '--json')).stdout) as { id: string }[];
  expect(await serving(key!.id)).toHaveLength(1);
  const from = logs.output().length;
  await ann.fnrun(['invoke', '/']);
  await logs.waitFor(/info +index asked/, { from });
  expect((await logs.stop('SIGINT')).code).toBe(0);
  await eventually(async () => (await serving(key!.id)).length === 0);
});

test('logs -f by ssh alone ends on the server when ssh is gone, though it had no input', async () => {
  const { user, port } = fixture.sshd;
  const [key] = JSON.parse((await fixture.here('keys', '--json')).stdout) as { id: string }[];
  const args = [
    ...ann.ssh.split(' ').slice(1),
    '-n',
    '-p',
    String(port),
    `${user}@127.0.0.1`,
    'fnrun logs shop -f -n 1',
  ];
  const child = spawn('ssh', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  expect(await serving(key!.id)).toHaveLength(1);
  child.kill();
  await eventually(async () => (await serving(key!.id)).length === 0);
});

test('variables are set over ssh, by arguments and from standard input, and show in no command line of the server', async () => {
  const seen = new Set<string>();
  const watch = setInterval(() => void commandLines().then((lines) => lines.forEach((line) => seen.add(line))), 20);
  const set = await ann.fnrun(['env', 'set', 'TOKEN=hush-argument', 'PLAIN=x']);
  expect(set.code, set.stderr).toBe(0);
  const typed = await ann.fnrun(['env', 'shop', 'set', 'SECRET=-'], { input: 'hush-input' });
  expect(typed.code, typed.stderr).toBe(0);
  clearInterval(watch);
  const { stdout } = await ann.fnrun(['env', '--values']);
  expect(stdout).toBe('PLAIN=x\nSECRET=hush-input\nTOKEN=hush-argument\n');
  const onServer = [...seen].filter(
    (line) => line.includes('receive') || line.includes('sshd') || line.includes('ssh\0'),
  );
  expect(onServer.length).toBeGreaterThan(0);
  expect(onServer.filter((line) => /hush-argument|hush-input/.test(line))).toEqual([]);
  expect(fixture.sshd.log()).not.toMatch(/hush-argument|hush-input/);
  const deploys = JSON.parse((await ann.fnrun(['deploys', '--json'])).stdout) as unknown[];
  expect(deploys[0]).toMatchObject({ source: 'env', key: 'ann', live: true });
  const reader = await fixture.makeLaptop('reader', 'shop', '--app', 'shop', '--read-only');
  expect((await reader.fnrun(['env'])).stderr).toContain('may not change shop: it may clone and look at shop');
});

test('--remote names another remote, --home and FNRUN_HOME the server of this machine', async () => {
  const { stdout: home } = await ann.fnrun(['apps', '--json', '--home', fixture.server.home]);
  expect(JSON.parse(home)).toHaveLength(1);
  await git(ann.dir, 'remote', 'add', 'other', fixture.sshd.url('blog'));
  expect((await ann.fnrun(['deploys', '--remote', 'other'])).stderr).toContain('may not look at blog');
  expect(await ann.fnrun(['deploys', '--remote', 'nothing'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('There is no git remote nothing here'),
  });
  const here = await ann.fnrun(['apps'], { env: { FNRUN_HOME: join(ann.dir, 'nowhere') } });
  expect(here.stderr).toContain('No fnrun server runs in');
});

test('remote with another name is taken when it is the only one that fits', async () => {
  const ben = await fixture.makeLaptop('ben', 'shop', '--app', 'shop');
  await git(ben.dir, 'remote', 'rename', 'fnrun', 'production');
  await git(ben.dir, 'remote', 'add', 'origin', 'git@example.invalid:someone/shop.git');
  expect((await ben.fnrun(['deploys'])).code).toBe(0);
  await git(ben.dir, 'remote', 'add', 'staging', fixture.sshd.url('stage'));
  expect(await ben.fnrun(['deploys'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Several git remotes could be meant: production, staging; name one: --remote'),
  });
});

test('key of an admin adds keys over ssh, from files of the laptop', async () => {
  const root = await fixture.makeLaptop('root', 'shop', '--admin');
  const file = await fixture.sshd.makeKey('cleo');
  const added = await root.fnrun([
    'keys',
    'add',
    'cleo',
    '--key-file',
    `${file}.pub`,
    '--app',
    'shop',
    '--branch',
    'main',
  ]);
  expect(added, added.stderr).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Added cleo \(SHA256:/) });
  const pub = await readFile(`${await fixture.sshd.makeKey('dora')}.pub`, 'utf8');
  expect((await root.fnrun(['keys', 'add', 'dora', '--all-apps', '--read-only'], { input: pub })).code).toBe(0);
  expect((await root.fnrun(['keys'])).stdout).toMatch(/^cleo +shop +main +push .+SHA256:.+\ndora +all +all +read /m);
  expect((await root.fnrun(['keys', 'remove', 'cleo'])).stdout).toBe('Removed cleo.\n');
  expect((await root.fnrun(['apps', 'create', 'more'])).code).toBe(0);
  expect((await root.fnrun(['apps', 'remove', 'more'])).code).toBe(0);
});

test('failures of ssh come in its own words, and with what to do', async () => {
  const stranger = await fixture.sshd.makeKey('stranger');
  const unknown = { GIT_SSH_COMMAND: await fixture.sshd.sshCommand(stranger) };
  expect(await ann.fnrun(['apps'], { env: unknown })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /Permission denied \(publickey\)\.\r?\nfnrun: ssh could not run .+; have your public key added/,
    ),
  });
  const unseen = { GIT_SSH_COMMAND: await fixture.sshd.sshCommand(ann.key, { knownHosts: '/dev/null' }) };
  expect((await ann.fnrun(['apps'], { env: unseen })).stderr).toMatch(
    /Host key verification failed\.\r?\nfnrun: .+; connect once by hand and compare the fingerprint/,
  );
  await git(ann.dir, 'remote', 'add', 'gone', 'ssh://someone@127.0.0.1:1/shop');
  expect((await ann.fnrun(['apps', '--remote', 'gone'])).stderr).toMatch(
    /Connection refused\r?\nfnrun: .+; check the address: git remote get-url gone\n$/,
  );
  const none = { GIT_SSH_COMMAND: '', GIT_SSH: '/nowhere/ssh' };
  expect((await ann.fnrun(['apps'], { env: none })).stderr).toContain('fnrun: Cannot run ssh: ');
});

/** Processes that serve a key over ssh. */
async function serving(id: string): Promise<string[]> {
  return (await commandLines()).filter((line) => line.includes(`--key\0${id}\0`));
}

async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
}
