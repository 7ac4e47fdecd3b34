import { join } from 'node:path';
import { cp } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repositoryRoot } from '../../support/cli.ts';
import { fetchFrom, type HttpTarget } from '../../support/http.ts';
import { pushTree, startServe, type Serve } from '../../support/serve.ts';
import { makeTempDir, type TempDir } from '../../support/temp-dir.ts';
import type { Way } from './case.ts';
import { checkOutcome } from './check-outcome.ts';
import { converse } from './conversation.ts';
import { corpus } from './corpus.ts';

const apps = ['one', 'other'] as const;
let folder: TempDir;
let serve: Serve;

beforeAll(async () => {
  serve = await startServe();
  folder = await makeTempDir();
  for (const app of apps) {
    const dir = join(folder.path, app);
    await cp(join(repositoryRoot, 'test/fixtures/http/app'), dir, { recursive: true });
    await pushTree(dir, await serve.createApp(app));
  }
}, 120_000);

afterAll(async () => {
  await serve?.stop();
  await folder?.remove();
});

/** What the handlers of both apps were given since the last time. */
async function takeSeen(): Promise<string[]> {
  const seen: string[] = [];
  for (const app of apps) {
    const response = await fetchFrom(serve.appSocket(app), { path: '/-/seen' });
    seen.push(...response.json().map((line: string) => (app === 'one' ? line : `${app}: ${line}`)));
  }
  return seen;
}

function runCorpus(way: Way, target: () => HttpTarget): void {
  describe(`through ${way}`, () => {
    test.each(corpus.map((entry) => [entry.name, entry] as const))('%s', async (_name, entry) => {
      const outcome = { ...entry.expect, ...(way === 'socket' ? {} : entry[way]) };
      await takeSeen();
      const observed = await converse(target(), entry, outcome);
      checkOutcome({ ...observed, seen: await takeSeen() }, outcome);
    });
  });
}

test('every name is there once', () => {
  expect(corpus.map(({ name }) => name)).toEqual([...new Set(corpus.map(({ name }) => name))]);
});

runCorpus('socket', () => serve.appSocket('one'));
