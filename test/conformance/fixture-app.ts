import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '../support/cli.ts';
import { writeTree } from '../support/temp-dir.ts';

/** Copies the fixture app to `dir`, as a repository would hold it. */
export async function copyFixtureApp(dir: string): Promise<void> {
  await cp(join(repositoryRoot, 'test/fixtures/conformance/app'), dir, { recursive: true });
}

/** What a developer's folder has beside: installed packages, and the environment in .env. */
export async function addLocalParts(dir: string): Promise<void> {
  await cp(join(repositoryRoot, 'node_modules/hono'), join(dir, 'node_modules/hono'), { recursive: true });
  await writeTree(dir, { '.env': 'GREETING=hello from .env\n# a comment\nQUOTED="a b"\n' });
}
