import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatherFacts } from '../../../deploy/server/gather-facts.ts';
import type { Machine } from '../../../deploy/server/machine.ts';
import { openSshMachine } from '../../../deploy/server/ssh-machine.ts';
import type { SshTarget } from '../../../deploy/server/target.ts';
import { startSshd, type Sshd } from '../../support/sshd.ts';
import { makeTempDir, type TempDir } from '../../support/temp-dir.ts';

describe('a machine over ssh', () => {
  let work: TempDir;
  let sshd: Sshd;
  let ssh: string;
  let target: SshTarget;
  let machine: Machine;

  beforeAll(async () => {
    work = await makeTempDir('fn-');
    sshd = await startSshd({ authorizedKeys: join(work.path, 'authorized_keys') });
    const key = await sshd.makeKey('admin');
    await writeFile(join(work.path, 'authorized_keys'), await readFile(`${key}.pub`));
    ssh = await sshd.sshCommand(key);
    target = { destination: `${sshd.user}@127.0.0.1`, port: sshd.port };
    machine = await openSshMachine({ target, ssh });
  });

  afterAll(async () => {
    await machine?.close();
    await sshd?.stop();
    await work?.remove();
  });

  it('runs programs with their arguments as they are, and tells what they left', async () => {
    const words = ["it's", '', 'a\nb\n', '$HOME `id` "x" \\ ! * ~', 'æøå'];
    const ran = await machine.run(['sh', '-c', 'printf "%s|" "$@"; cat; echo oops >&2; exit 7', 'sh', ...words], {
      input: 'from stdin',
    });
    expect(ran).toEqual({ code: 7, stdout: `${words.join('|')}|from stdin`, stderr: 'oops\n' });
  });

  it('tells what is not there, and what a program says of itself, from what ssh says', async () => {
    expect(await machine.run(['fnrun-no-such-program'])).toMatchObject({ code: 127 });
    expect(await machine.run(['sh', '-c', 'exit 255'])).toMatchObject({ code: 255 });
    expect(await machine.run(['sh', '-c', 'exit 124'])).toMatchObject({ code: 124 });
  });

  it('shares one login', async () => {
    const logins = (): number => sshd.log().split('Accepted publickey').length - 1;
    const before = logins();
    await Promise.all([machine.run(['true']), machine.run(['true']), machine.run(['true'])]);
    expect(logins()).toBe(before);
    await machine.loginAnew();
    expect(logins()).toBe(before + 1);
  });

  it('ends a program at its deadline, there too', async () => {
    const pidFile = join(work.path, 'pid');
    const argv = ['sh', '-c', `echo $$ > ${pidFile}; sleep 300; true`];
    await expect(machine.run(argv, { timeoutMs: 1_000 })).rejects.toMatchObject({
      code: 'FN_SETUP_FAILED',
      message: `sh did not end within 1 s on ${target.destination}`,
    });
    const pid = Number(await readFile(pidFile, 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  });

  it('uploads a file whole, with its mode and owner, into folders that it makes', async () => {
    const from = join(work.path, 'from');
    const to = join(work.path, "new folder/it's/to");
    const content = randomBytes(3_000_000);
    await writeFile(from, content);
    await machine.upload(from, to, { mode: 0o750, owner: `${process.getuid!()}:${process.getgid!()}` });
    expect((await readFile(to)).equals(content)).toBe(true);
    expect((await stat(to)).mode & 0o777).toBe(0o750);
    expect(existsSync(`${to}.fnrun-new`)).toBe(false);
  });

  it('is known by its facts, with the port of this connection first', async () => {
    const facts = await gatherFacts(machine);
    expect(facts.sshPorts[0]).toBe(sshd.port);
    expect(facts.root).toBe(process.getuid!() === 0);
    expect(facts.memoryMb).toBeGreaterThan(0);
  });

  it('tells in the words of ssh why it cannot be reached, and what to do', async () => {
    const stranger = await sshd.sshCommand(await sshd.makeKey('stranger'));
    await expect(openSshMachine({ target, ssh: stranger })).rejects.toMatchObject({
      code: 'FN_SSH_FAILED',
      message: expect.stringContaining('Permission denied (publickey)'),
      hint: expect.stringContaining('ssh-copy-id'),
    });
    const unknown = join(work.path, 'known_nobody');
    await writeFile(unknown, '');
    const cautious = await sshd.sshCommand(join(sshd.folder, 'admin'), { knownHosts: unknown });
    await expect(openSshMachine({ target, ssh: cautious })).rejects.toMatchObject({
      message: expect.stringContaining('Host key verification failed'),
    });
    await expect(openSshMachine({ target: { ...target, port: 1 }, ssh })).rejects.toMatchObject({
      message: expect.stringContaining('Connection refused'),
      hint: expect.stringContaining('check address and port'),
    });
    await expect(openSshMachine({ target, ssh: 'no-such-ssh' })).rejects.toMatchObject({
      message: expect.stringContaining('Cannot run ssh'),
    });
  });

  it('refuses an account that does not run what it is told', async () => {
    const key = await sshd.makeKey('forced');
    const line = `command="echo only this" ${await readFile(`${key}.pub`, 'utf8')}`;
    await writeFile(join(work.path, 'authorized_keys'), line, { flag: 'a' });
    await expect(openSshMachine({ target, ssh: await sshd.sshCommand(key) })).rejects.toMatchObject({
      code: 'FN_SSH_FAILED',
    });
  });

  it('logs in again after its connection broke, and says so to what ran meanwhile', async () => {
    const own = await openSshMachine({ target, ssh });
    try {
      // The server's end of this very connection.
      const parent = (
        await own.run([
          'sh',
          '-c',
          'p=$PPID; while [ "$(cat /proc/$p/comm)" != sshd ]; do p=$(cut -d" " -f4 /proc/$p/stat); done; echo $p',
        ])
      ).stdout;
      await expect(own.run(['kill', '-9', parent.trim()])).rejects.toMatchObject({ code: 'FN_SSH_FAILED' });
      expect(await own.run(['echo', 'again'])).toMatchObject({ code: 0, stdout: 'again\n' });
    } finally {
      await own.close();
    }
  });

  it('leaves nothing behind', async () => {
    const own = await openSshMachine({ target, ssh });
    const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('fnrun-ssh-'));
    const during = folders();
    await own.close();
    await own.close();
    expect(folders().length).toBeLessThan(during.length);
    const { stdout } = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    expect(during.filter((name) => !folders().includes(name) && stdout.includes(name))).toEqual([]);
  });
});
