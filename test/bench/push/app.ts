import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { commitAll, initRepository, tryGit } from '../../support/git.ts';
import { writeTree } from '../../support/temp-dir.ts';

/** What the app that is pushed looks like. */
export interface AppShape {
  /** f0, f1, … */
  functions: number;
  /** package.json and lockfile; the functions are then Hono apps. @default an app without packages */
  packages?: Readonly<Record<string, string>>;
  /** Of the functions' files. The classic server runs them as they are, so it gets JavaScript. @default ts */
  extension?: 'ts' | 'js';
}

/** What one commit changes. */
export type Change = 'one' | 'all';

/** An app in a repository of its own, of which the next version can be committed. */
export interface PushedApp {
  readonly dir: string;
  /** Writes other files beside the functions, for the next commit. */
  readonly write: (files: Readonly<Record<string, string>>) => Promise<void>;
  /** Changes f0 or all functions and commits; resolves with the commit, and with what f0 answers from it on. */
  readonly commit: (change: Change) => Promise<Version>;
}

/** One commit of the app. */
export interface Version {
  commit: string;
  answer: string;
}

/** Makes the app's repository below `folder`; nothing is committed yet. */
export async function makeApp(folder: string, shape: AppShape): Promise<PushedApp> {
  const { functions, packages, extension = 'ts' } = shape;
  const dir = join(folder, 'app');
  const write = (files: Readonly<Record<string, string>>): Promise<void> => writeTree(dir, files);
  const sources = (version: number, count: number): Record<string, string> =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        `functions/f${i}/index.${extension}`,
        packages === undefined ? plain(version) : withHono(version),
      ]),
    );
  await write({ ...sources(0, functions), ...packages });
  await initRepository(dir);
  let version = 0;
  return {
    dir,
    write,
    async commit(change) {
      version++;
      await write(sources(version, change === 'one' ? 1 : functions));
      return { commit: await commitAll(dir, `Version ${version}`), answer: `version ${version}` };
    },
  };
}

const plain = (version: number): string => `export default () => new Response('version ${version}');\n`;

const withHono = (version: number): string =>
  `import { Hono } from 'hono';

const app = new Hono();
app.get('*', (c) => c.text('version ${version}'));
export default app;
`;

/** Pushes one commit to main, as a person does; rejects with what git said. */
export async function pushCommit(dir: string, { commit, remote }: { commit: string; remote: string }): Promise<void> {
  const pushed = await tryGit(dir, ['push', '-q', remote, `${commit}:refs/heads/main`]);
  if (pushed.code !== 0) throw new Error(pushed.output);
}

/** So that the next run of npm with this cache asks the registry for everything. */
export async function emptyNpmCache(cache: string): Promise<void> {
  // Without `force`: a cache that is not there means that npm keeps it elsewhere, and the figure would be another one.
  await rm(cache, { recursive: true });
}
