import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { runCli, startCli, type CliOptions, type CliResult, type RunningCli } from '../support/cli.ts';
import { commitAll, git, initRepository, tryGit, type GitResult } from '../support/git.ts';
import { startServe, type Serve } from '../support/serve.ts';
import { startSshd, type Sshd } from '../support/sshd.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';
import { says } from './git-fixture.ts';

/** Somebody with a key and a checkout, on another machine as far as the server can tell. */
export interface Laptop {
  /** The checkout of an app, with two functions committed. */
  dir: string;
  /** Name of the key. */
  name: string;
  /** Path of the private key. */
  key: string;
  /** `ssh -F …`, which uses the key. */
  ssh: string;
  git(...args: string[]): Promise<GitResult>;
  fnrun(args: readonly string[], options?: CliOptions): Promise<CliResult>;
  startFnrun(args: readonly string[], options: CliOptions & { ready: RegExp }): Promise<RunningCli>;
  /** `ssh …args`, with `input` for its standard input. */
  runSsh(args: readonly string[], input?: string): Promise<CliResult>;
}

/** A server, and a real sshd in front of it. */
export interface SshFixture extends AsyncDisposable {
  server: Serve;
  sshd: Sshd;
  /** Makes a key with these options of `fnrun keys add`, and a checkout of `app` whose remote `fnrun` is over ssh. */
  makeLaptop(name: string, app: string, ...grant: string[]): Promise<Laptop>;
  /** `fnrun … --home <the server's>`, on the server. */
  here(...args: string[]): Promise<CliResult>;
}

export async function startSshFixture(): Promise<SshFixture> {
  const server = await startServe();
  const sshd = await startSshd({ authorizedKeys: join(server.home, 'authorized_keys') });
  const work = await makeTempDir('fn-');
  const here = (...args: string[]): Promise<CliResult> => runCli([...args, '--home', server.home]);
  return {
    server,
    sshd,
    here,
    makeLaptop: async (name, app, ...grant) => {
      const key = await sshd.makeKey(name);
      const added = await here('keys', 'add', name, '--key-file', `${key}.pub`, ...grant);
      if (added.code !== 0) throw new Error(added.stderr);
      const dir = join(work.path, name);
      await writeTree(dir, { 'functions/index.ts': says('one'), 'functions/users/[id]/index.ts': says('user') });
      await initRepository(dir);
      await git(dir, 'remote', 'add', 'fnrun', sshd.url(app));
      await commitAll(dir, 'First commit');
      return laptopOf({ name, dir, key, ssh: await sshd.sshCommand(key), sshd });
    },
    [Symbol.asyncDispose]: async () => {
      await sshd.stop();
      await server.stop();
      await work.remove();
    },
  };
}

function laptopOf({
  name,
  dir,
  key,
  ssh,
  sshd,
}: Pick<Laptop, 'name' | 'dir' | 'key' | 'ssh'> & { sshd: Sshd }): Laptop {
  const env = { GIT_SSH_COMMAND: ssh };
  return {
    name,
    dir,
    key,
    ssh,
    git: (...args) => tryGit(dir, args, env),
    fnrun: (args, options = {}) => runCli(args, { cwd: dir, ...options, env: { ...env, ...options.env } }),
    startFnrun: (args, options) => startCli(args, { cwd: dir, ...options, env: { ...env, ...options.env } }),
    runSsh: (args, input = '') => {
      const [, ...config] = ssh.split(' ');
      return runProgram('ssh', [...config, '-p', String(sshd.port), ...args], input);
    },
  };
}

/** Runs a program to its end, at most 20 s. */
export async function runProgram(program: string, args: readonly string[], input = ''): Promise<CliResult> {
  const child = spawn(program, args, { stdio: 'pipe', timeout: 20_000, killSignal: 'SIGKILL' });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (stderr += text));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
