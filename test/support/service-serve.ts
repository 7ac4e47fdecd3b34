import { chmod, chown, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runCli, startCli, type CliResult, type RunningCli } from './cli.ts';
import { tryGit } from './git.ts';
import { targetOf } from './http.ts';
import type { Serve } from './serve.ts';
import { makeTempDir } from './temp-dir.ts';

/**
 * A `fnrun serve` as a provisioned machine runs it: by a user that is not root, with three capabilities, and apps that
 * have users of their own. Needs root.
 */
export interface ServiceServe extends Serve {
  /** Of the server. */
  readonly uid: number;
  /** Of the first app. */
  readonly firstUser: number;
  /** Starts it again: without users of apps when `config` has none. */
  restart(config?: object): Promise<void>;
  /** Ends it at once, with nobody told. */
  kill(): Promise<void>;
  /** `fnrun …args` as its user. Rejects unless it exits with 0. */
  run(...args: string[]): Promise<CliResult>;
  /** Commits all of `dir` and pushes it as its user; resolves with what git said, rejects when it is refused. */
  push(dir: string, app: string, branch?: string): Promise<string>;
}

/** No user of this machine. */
const uid = 65_001;
const group = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
const person = ['setpriv', ...group];
const three = '-all,+setuid,+setgid,+kill';
const capable = [`--inh-caps=${three}`, `--ambient-caps=${three}`, `--bounding-set=${three}`, '--no-new-privs'];
/** With the mask of the unit, so that nothing is readable for others by luck. */
const service = ['/bin/sh', '-c', 'umask 027; exec "$@"', 'sh', 'setpriv', ...group];

/** Makes a home and starts the server in it: at first without users for apps, as one that is about to get them. */
export async function startServiceServe(): Promise<ServiceServe> {
  const temp = await makeTempDir('fu-');
  const home = temp.path;
  await chown(home, uid, uid);
  await chmod(home, 0o750);
  // Others may run this test at the same time, and a user's processes are ended by its number.
  const firstUser = 1_000_000 + process.pid * 100;
  let cli: RunningCli;
  const restart = async (config?: object): Promise<void> => {
    const file = join(home, 'config.json');
    await writeFile(file, JSON.stringify(config ?? {}), { mode: 0o640 });
    await chown(file, 0, uid);
    const wrap = [...service, ...(config === undefined ? [] : capable)];
    cli = await startCli(['serve', '--home', home, '--listen', '127.0.0.1:0'], { wrap });
  };
  const run = async (...args: string[]): Promise<CliResult> => {
    const result = await runCli([...args, '--home', home], { wrap: person });
    if (result.code !== 0) throw new Error(`fnrun ${args.join(' ')} ended with ${result.code}:\n${result.stderr}`);
    return result;
  };
  const push = async (dir: string, app: string, branch = 'main'): Promise<string> => {
    await promisify(execFile)('chown', ['-R', `${uid}:${uid}`, dir]);
    const remote = join(home, 'apps', app, 'repo.git');
    const steps = [
      ['add', '-A'],
      ['commit', '-qm', 'A change', '--allow-empty'],
      ['push', remote, `HEAD:${branch}`],
    ];
    if (!existsSync(join(dir, '.git'))) steps.unshift(['init', '-q', '-b', 'main']);
    let said = '';
    for (const args of steps) {
      const { code, output } = await tryGit(dir, args, { HOME: '/nonexistent' }, person);
      if (code !== 0) throw new Error(`git ${args[0]} ended with ${code}:\n${output}`);
      said += output;
    }
    return said;
  };
  const stop = async (): Promise<void> => {
    await cli.stop();
    await temp.remove();
  };
  await restart().catch(async (error: unknown) => {
    await temp.remove();
    throw error;
  });
  return {
    home,
    uid,
    firstUser,
    get cli() {
      return cli;
    },
    get gateway() {
      return targetOf(cli.ready);
    },
    appSocket: (app) => ({ socketPath: join(home, 'run', `${app}.sock`) }),
    createApp: async (app) => {
      await run('apps', 'create', app);
      return join(home, 'apps', app, 'repo.git');
    },
    restart: async (config) => {
      await cli.stop();
      await restart(config);
    },
    kill: async () => void (await cli.stop('SIGKILL')),
    run,
    push,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
