import { join } from 'node:path';
import { runCli, startCli, type RunningCli } from './cli.ts';
import { commitAll, initRepository, tryGit, type GitResult } from './git.ts';
import { targetOf, type HttpTarget } from './http.ts';
import { makeTempDir } from './temp-dir.ts';

/** A running `fnrun serve` in a home of its own. */
export interface Serve extends AsyncDisposable {
  readonly home: string;
  readonly cli: RunningCli;
  /** The gateway. */
  readonly gateway: HttpTarget;
  /** The socket that nginx would use. */
  readonly appSocket: (app: string) => HttpTarget;
  /** `fnrun apps create`; resolves with the path of the git remote. */
  readonly createApp: (app: string) => Promise<string>;
  /** Ends the server and removes the home. */
  readonly stop: () => Promise<void>;
}

/** Starts `fnrun serve` on a port of its own choice, in an empty home. */
export async function startServe({ env = {} }: { env?: Record<string, string> } = {}): Promise<Serve> {
  // Short: the paths of sockets have 107 bytes.
  const temp = await makeTempDir('fn-');
  const home = temp.path;
  const args = ['serve', '--home', home, '--listen', '127.0.0.1:0'];
  const cli = await startCli(args, { env }).catch(async (error: unknown) => {
    await temp.remove();
    throw error;
  });
  const stop = async () => {
    await cli.stop();
    await temp.remove();
  };
  const createApp = async (app: string) => {
    const { code, stdout, stderr } = await runCli(['apps', 'create', app, '--home', home]);
    if (code !== 0) throw new Error(`fnrun apps create ${app} ended with ${code}:\n${stdout}${stderr}`);
    return join(home, 'apps', app, 'repo.git');
  };
  const appSocket = (app: string) => ({ socketPath: join(home, 'run', `${app}.sock`) });
  return { home, cli, gateway: targetOf(cli.ready), appSocket, createApp, stop, [Symbol.asyncDispose]: stop };
}

/** Commits all of `dir` (made a repository when it is none) and pushes it to main; rejects with what git said. */
export async function pushTree(dir: string, remote: string): Promise<GitResult> {
  const known = await tryGit(dir, ['rev-parse', '--show-toplevel']);
  if (known.stdout.trim() !== dir) await initRepository(dir);
  await commitAll(dir, 'A change');
  const pushed = await tryGit(dir, ['push', remote, 'HEAD:main']);
  if (pushed.code !== 0) throw new Error(`git push ended with ${pushed.code}:\n${pushed.output}`);
  return pushed;
}
