import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { runCli, startCli, type RunningCli } from '../support/cli.ts';
import { eventually } from '../support/deadline.ts';
import { startMariaDb } from '../support/mariadb.ts';
import { pushTree } from '../support/serve.ts';
import { makeTempDir, writeTree } from '../support/temp-dir.ts';

const maxConnections = 6;
const files = {
  'fnrun.json': JSON.stringify({ database: { maxConnections, acquireTimeoutMs: 10_000 } }),
  'functions/index.ts': [
    "import { pool } from 'fnrun/mysql';",
    'export default async () => {',
    "  const [rows] = await pool.query('SELECT 1 AS one, SLEEP(0.05) AS slept');",
    '  return Response.json({ pid: process.pid, rows });',
    '};',
  ].join('\n'),
};

test(
  'two servers of one home have no more database connections together than the app may',
  { timeout: 90_000 },
  async () => {
    await using stack = new AsyncDisposableStack();
    const db = stack.use(await startMariaDb());
    const folder = stack.use(await makeTempDir('fn-'));
    const home = join(folder.path, 'h');
    const start = async (): Promise<RunningCli> => {
      const args = ['serve', '--home', home, '--listen', 'none', '--take-over'];
      const server = await startCli(args, { ready: /Ctrl-C ends it/ });
      stack.defer(async () => void (await server.stop('SIGKILL')));
      return server;
    };
    const old = await start();
    await runCli(['apps', 'create', 'shop', '--home', home]);
    await runCli(['env', 'shop', 'set', `DATABASE_URL=${db.url}`, '--home', home]);
    await writeTree(join(folder.path, 'shop'), files);
    await pushTree(join(folder.path, 'shop'), join(home, 'apps/shop/repo.git'));

    let running = true;
    const pids = new Set<number>();
    const failures: string[] = [];
    const client = async (): Promise<void> => {
      while (running) {
        const answer = new Promise<string>((resolve, reject) => {
          const sent = request({ socketPath: join(home, 'run/shop.sock'), agent: false }, (response) => {
            text(response).then(
              (body) =>
                response.statusCode === 200 ? resolve(body) : reject(new Error(`${response.statusCode} ${body}`)),
              reject,
            );
          });
          sent.on('error', reject).end();
        });
        await answer.then(
          (body) => pids.add((JSON.parse(body) as { pid: number }).pid),
          (error: Error) => failures.push(error.message),
        );
      }
    };
    const clients = Array.from({ length: 4 * maxConnections }, client);
    let most = 0;
    const sampling = (async () => {
      while (running) most = Math.max(most, await db.connections());
    })();
    const next = await start();
    await next.waitFor(/takes over from the server with process/);
    expect(await old.waitForExit(60_000)).toMatchObject({ code: 77 });
    // All of it is the new one's when the old one has gone.
    const hasAll = async (): Promise<boolean> => {
      const { stdout } = await runCli(['ps', 'shop', '--json', '--home', home]);
      return stdout.replaceAll(/\s/g, '').includes(`"limit":${maxConnections}`);
    };
    await eventually(hasAll, { deadlineMs: 20_000 });
    running = false;
    await Promise.all([...clients, sampling]);
    expect(failures).toEqual([]);
    expect(pids.size).toBe(2);
    expect(most).toBeLessThanOrEqual(maxConnections);
    expect(most).toBeGreaterThanOrEqual(maxConnections - 1);
  },
);
