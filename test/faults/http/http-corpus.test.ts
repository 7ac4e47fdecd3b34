import { join } from 'node:path';
import { cp } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repositoryRoot, runCli, startCli, type RunningCli } from '../../support/cli.ts';
import { eventually } from '../../support/deadline.ts';
import { fetchFrom, targetOf, type HttpTarget } from '../../support/http.ts';
import { startNginx, type Nginx } from '../../support/nginx.ts';
import { pushTree, startServe, type Serve } from '../../support/serve.ts';
import { makeTempDir, type TempDir } from '../../support/temp-dir.ts';
import { outcomeOf, type Way } from './case.ts';
import { checkOutcome } from './check-outcome.ts';
import { converse } from './conversation.ts';
import { corpus } from './corpus.ts';

type AppSocket = { socketPath: string };

const apps = ['one', 'other'] as const;
let folder: TempDir;
let serve: Serve;
let nginx: Nginx;
let dev: RunningCli;

beforeAll(async () => {
  serve = await startServe();
  folder = await makeTempDir();
  for (const app of apps) {
    const dir = join(folder.path, app);
    await cp(join(repositoryRoot, 'test/fixtures/http/app'), dir, { recursive: true });
    await pushTree(dir, await serve.createApp(app));
  }
  const sites = apps.map((name) => ({ name, hostname: `${name}.localhost`, ...(serve.appSocket(name) as AppSocket) }));
  nginx = await startNginx(sites);
  const dir = join(folder.path, 'dev/one');
  await cp(join(repositoryRoot, 'test/fixtures/http/app'), dir, { recursive: true });
  dev = await startCli(['dev', dir, '--port', '0']);
}, 120_000);

afterAll(async () => {
  await dev?.stop();
  await nginx?.stop();
  await serve?.stop();
  await folder?.remove();
});

/** What the handlers of both apps were given since the last time; under dev there is one app only. */
async function takeSeen(way: Way): Promise<string[]> {
  const seen: string[] = [];
  for (const app of apps.slice(0, way === 'dev' ? 1 : 2)) {
    const target = way === 'dev' ? targetOf(dev.ready) : serve.appSocket(app);
    const response = await fetchFrom(target, { path: '/-/seen' });
    seen.push(...response.json().map((line: string) => (app === 'one' ? line : `${app}: ${line}`)));
  }
  return seen;
}

function runCorpus(way: Way, target: () => HttpTarget, { halves = false } = {}): void {
  describe(`through ${way}${halves ? ', in two halves' : ''}`, () => {
    const failed: string[] = [];
    test.each(corpus.map((entry) => [entry.name, entry] as const))('%s', async (_name, entry) => {
      const outcome = outcomeOf(entry, way);
      await takeSeen(way);
      const observed = await converse(target(), entry, { expected: outcome, halves });
      checkOutcome({ ...observed, seen: await takeSeen(way) }, outcome);
      for (const { status, headers } of observed.answers) {
        // nginx has pages and a log of its own.
        if (status === 502 && headers['content-type'] === 'application/problem+json') {
          failed.push(headers['x-request-id'] ?? 'no request id');
        }
      }
    });

    // dev prints its log.
    if (way === 'dev') return;
    test('the log has the reason of every 502', async () => {
      expect(failed.length).toBeGreaterThan(20);
      // Lines are on their way for a moment after the answer.
      await eventually(
        async () => {
          const { stdout } = await runCli(['logs', 'one', '--home', serve.home, '--json', '-n', '10000']);
          const told = new Map<string, string>();
          for (const line of stdout.trim().split('\n')) {
            const { level, requestId, message } = JSON.parse(line);
            if (level === 'error') told.set(requestId, message);
          }
          for (const id of failed) expect(told.get(id), id).toMatch(/\w+ \w+/);
          return true;
        },
        { deadlineMs: 15_000, everyMs: 250 },
      );
    });
  });
}

test('every name is there once', () => {
  expect(corpus.map(({ name }) => name)).toEqual([...new Set(corpus.map(({ name }) => name))]);
});

runCorpus('socket', () => serve.appSocket('one'));
runCorpus('socket', () => serve.appSocket('one'), { halves: true });
runCorpus('dev', () => targetOf(dev.ready));
runCorpus('gateway', () => serve.gateway);
runCorpus('nginx', () => nginx.target);
