import { setTimeout as delay } from 'node:timers/promises';
import type { MariaDb } from '../../support/mariadb.ts';
import { fetchFrom, targetOf } from '../../support/http.ts';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';
import { wrk } from '../load/wrk.ts';
import type { WrkResult } from '../load/wrk.ts';
import { familyOf, threadsOf } from '../processes.ts';
import { own } from '../report.ts';
import type { BenchContext } from '../report.ts';
import { startOwn } from '../server.ts';
import type { OwnServer } from '../server.ts';

/** MariaDB's and MySQL's default. */
export const crowdConnections = 151;
/** An app has 128 threads at most, so 400 workers are those of several. */
export const crowdApps = 4;
const functionsPerApp = 25;
const workers = 4;
/** Together what a push allows: 151 less 10. */
const budget = 35;
const seconds = 8;
/** While it warms up a call holds its connection for so long that each of a function's workers gets one of them. */
const holdSeconds = 0.1;

/** One call at a time a worker, which holds its connection for a while: so all workers are wanted, and all at once want one. */
const handler = `
import { pool } from 'fnrun/mysql';
export const config = { maxWorkers: ${workers}, concurrency: 1 };
export default async (request) => {
  const seconds = request.url.endsWith('?hold') ? ${holdSeconds} : 0.005;
  const [rows] = await pool.query('SELECT name, SLEEP(?) AS slept FROM users WHERE id = ?', [seconds, 1 + Math.floor(Math.random() * 1000)]);
  return Response.json(rows[0].name);
};
`;

/** Many functions at a server with its default of connections: how often it says "Too many connections", and who fails. */
export async function crowd(db: MariaDb, context: BenchContext): Promise<void> {
  await using folder = await makeTempDir('fnrun-bench-');
  await using stack = new AsyncDisposableStack();
  const files = Array.from({ length: functionsPerApp }, (_, i) => [`functions/f${i}/index.ts`, handler]);
  await writeTree(folder.path, {
    'fnrun.json': JSON.stringify({
      database: { maxConnections: budget, acquireTimeoutMs: 10_000, connectTimeoutMs: 10_000 },
    }),
    ...(Object.fromEntries(files) as Record<string, string>),
  });
  const servers: OwnServer[] = [];
  for (let index = 0; index < crowdApps; index++) {
    context.say(`app ${index + 1} of ${crowdApps}: ${functionsPerApp} functions x ${workers} workers`);
    const server = stack.use(await startOwn('fnrun-app.ts', [folder.path, '--database', db.url]));
    servers.push(server);
    await startWorkers(server.url);
  }
  const threads = await threadsOf((await Promise.all(servers.map(({ pid }) => familyOf(pid)))).flat());
  let most = 0;
  const ending = new AbortController();
  const sampling = sample(db, { signal: ending.signal, onSample: (count) => (most = Math.max(most, count)) });
  const load = {
    connections: functionsPerApp * workers,
    seconds,
    script: 'round-robin.lua',
    args: [String(functionsPerApp)],
  } as const;
  const results = await Promise.all(servers.map(({ url }) => wrk(url, load)));
  ending.abort();
  await sampling;
  const [refused] = await db.sql("SHOW GLOBAL STATUS LIKE 'Connection_errors_max_connections'");
  const sum = (pick: (result: WrkResult) => number): number =>
    results.reduce((total, result) => total + pick(result), 0);
  const tell = (name: string, value: number, unit: string, target?: { most: number }): void =>
    context.report({
      case: 'mysql-crowd',
      name,
      side: own,
      value,
      unit,
      samples: 1,
      ...(target !== undefined && { target }),
    });
  tell('"Too many connections" of the server', Number(refused!['Value']), 'refusals', { most: 0 });
  tell('connections at once', most, 'connections', { most: crowdApps * budget });
  // Those of Node and V8 beside the workers are a dozen a process.
  tell('threads of the apps', threads, 'threads');
  tell('throughput', Math.round(sum((result) => result.requestsPerSecond)), 'req/s');
  tell(
    'requests',
    sum((result) => result.requests),
    'requests',
  );
  tell(
    'failed requests',
    sum((result) => result.failures),
    'requests',
    { most: 0 },
  );
}

/** One function after the other: a hundred threads that start at once take so long that some give up. */
async function startWorkers(url: string): Promise<void> {
  for (let index = 0; index < functionsPerApp; index++) {
    const request = { path: `/f${index}?hold`, deadlineMs: 30_000 };
    const calls = Array.from({ length: workers }, () => fetchFrom(targetOf(url), request));
    const failed = (await Promise.all(calls)).find(({ status }) => status !== 200);
    if (failed !== undefined) throw new Error(`f${index} answered with ${failed.status}: ${failed.text}`);
  }
}

async function sample(
  db: MariaDb,
  { signal, onSample }: { signal: AbortSignal; onSample: (count: number) => void },
): Promise<void> {
  while (!signal.aborted) {
    onSample(await db.connections());
    await delay(5);
  }
}
