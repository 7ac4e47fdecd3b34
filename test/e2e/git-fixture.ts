import { join } from 'node:path';
import { runCli } from '../support/cli.ts';
import { commitAll, git, initRepository, tryGit, type GitResult } from '../support/git.ts';
import { fetchFrom, type HttpTarget } from '../support/http.ts';
import { startServe, type Serve } from '../support/serve.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';

/** A deployment as `fnrun deploys --json` shows it. */
export interface Deploy {
  id: string;
  state: string;
  step: string;
  source: string;
  release: string;
  live: boolean;
  error: string;
}

/** A server, and repositories that are pushed to it. */
export interface GitFixture extends AsyncDisposable {
  server: Serve;
  /** Holds the working copies. */
  folder: string;
  /** Makes an app, and a folder with two functions that is a repository with `fnrun` as its remote. */
  makeApp(name: string): Promise<{ dir: string; remote: string }>;
  deploys(app: string): Promise<Deploy[]>;
  /** What `/` of an app answers at its socket. */
  said(app: string): Promise<string>;
}

/** A function that answers `text`. */
export const says = (text: string): string => `export default () => new Response(${JSON.stringify(text)});\n`;

export async function startGitFixture(): Promise<GitFixture> {
  const server = await startServe();
  const work = await makeTempDir('fn-');
  return {
    server,
    folder: work.path,
    makeApp: async (name) => {
      const remote = await server.createApp(name);
      const dir = join(work.path, name);
      await writeTree(dir, { 'functions/index.ts': says('one'), 'functions/users/[id]/index.ts': says('user') });
      await initRepository(dir);
      await git(dir, 'remote', 'add', 'fnrun', remote);
      await commitAll(dir, 'First commit');
      return { dir, remote };
    },
    deploys: async (app) => {
      const { stdout } = await runCli(['deploys', app, '--home', server.home, '--json']);
      return JSON.parse(stdout) as Deploy[];
    },
    said: (app) => answer(server.appSocket(app)),
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await work.remove();
    },
  };
}

/** Makes `/` say `text` and commits it; resolves with the commit. */
export async function change(dir: string, text: string): Promise<string> {
  await writeTree(dir, { 'functions/index.ts': says(text) });
  return await commitAll(dir, `Say ${text}`);
}

export async function answer(target: HttpTarget): Promise<string> {
  return (await fetchFrom(target, { path: '/' })).text;
}

export function push(dir: string, ...refs: string[]): Promise<GitResult> {
  return tryGit(dir, ['push', 'fnrun', ...refs]);
}

export function remoteHead(remote: string): Promise<string> {
  return git(remote, 'rev-parse', 'refs/heads/main');
}
