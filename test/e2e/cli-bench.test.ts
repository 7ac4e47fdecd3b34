import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { runCli, startCli } from '../support/cli.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';

/** Two at a time, 20 ms each: 100 a second, however busy the machine is. */
const narrow = `
export const config = { concurrency: 2, maxWorkers: 1 };
export default async () => {
  await new Promise((done) => setTimeout(done, 20));
  return new Response('ok');
};`;

interface Body {
  kneeRequestsPerSecond: number | null;
  limit: { by: string } | null;
  steps: { rate: number; holds: boolean; cpu: { app: number | null } }[];
}

test(
  'the knee of an app is what its function can carry, and its concurrency is what limits',
  { timeout: 60_000 },
  async () => {
    await using dir = await makeTempDir();
    await writeTree(dir.path, { 'functions/narrow/index.ts': narrow });
    const ran = await runCli(['bench', dir.path, '--duration', '0.3', '--p99', '400', '--json'], {
      deadlineMs: 50_000,
    });
    const body = JSON.parse(ran.stdout) as Body;
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(body.kneeRequestsPerSecond).toBeGreaterThan(20);
    expect(body.kneeRequestsPerSecond).toBeLessThan(135);
    expect(body.limit?.by).toBe('concurrency');
    expect(body.steps.every(({ cpu }) => cpu.app !== null)).toBe(true);
  },
);

test('a URL of this machine is loaded up to --max-rate, and another machine is not', async () => {
  const server = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  try {
    const ran = await runCli(['bench', url, '--duration', '0.2', '--max-rate', '50', '--p99', '2000']);
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringMatching(/^knee: 50 req\/s[^]*^limit: --max-rate/m)]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
  const refused = await runCli(['bench', 'http://192.0.2.1/']);
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringMatching(/192\.0\.2\.1 is not this machine.*--load-this-server/),
  ]);
  const gone = await runCli(['bench', url]);
  expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining('Nothing listens')]);
});

test('a path that is answered with an error is no load, and Ctrl-C prints what is known', async () => {
  await using dir = await makeTempDir();
  await writeTree(dir.path, { 'functions/index.ts': "export default () => new Response('ok');" });
  const wrong = await runCli(['bench', dir.path, '--path', '/none']);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/GET \/none .*404.*--path/)]);
  await using running = await startCli(['bench', dir.path, '--duration', '0.2'], { ready: /(yes|no)$/m });
  const { code, stdout } = await running.stop('SIGINT');
  expect([code, stdout]).toEqual([130, expect.stringMatching(/^so far: /m)]);
});
