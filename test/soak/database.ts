import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ConnectionShares } from '../../runtime/supervisor/connection-shares.ts';
import { createAppHost } from '../../runtime/supervisor/create-app-host.ts';
import { fetchFrom } from '../support/http.ts';
import { importMysql, startMariaDb } from '../support/mariadb.ts';
import type { MariaDb } from '../support/mariadb.ts';
import { writeRelease } from '../support/release.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { printVerdict } from './report.ts';

/** What MariaDB and MySQL take unless told otherwise, and what a push lets four apps have of it: 151 less 10. */
const serverConnections = 151;
const apps = 4;
const budget = 35;
/** An app has 128 threads at most, so a hundred functions with four workers each are those of several. */
const functionsPerApp = 25;
const workers = 4;
const previewsPerApp = 2;
const previewFunctions = 3;
/** Functions that a switch changes, and switches until one needs another process. */
const changed = 2;
const switchesPerProcess = 4;
const bootMs = 60_000;

/** Each takes one call at a time and holds its connection for a while: so all workers are wanted, and each wants one. */
const handler = (version: number): string => `${importMysql}
  export const config = { maxWorkers: ${workers}, concurrency: 1 };
  export default async () => {
    const [[row]] = await pool.query('SELECT ${version} AS version, SLEEP(0.25) AS slept');
    return Response.json(row.version);
  };`;

/** A process, or two while one replaces the other, with its own clients. */
interface Served extends AsyncDisposable {
  deploy(version: number): Promise<void>;
  /** Has all workers started, one function after the other: a hundred threads that start at once take so long that some give up. */
  warm(): Promise<void>;
  /** Starts clients that ask until `signal`. */
  load(clients: number, signal: AbortSignal): Promise<unknown>;
}

interface Sink {
  /** Answers by their code; 200 for those that were. */
  answers: Map<string, number>;
}

async function serve(
  db: MariaDb,
  options: { name: string; shares: ConnectionShares; isPreview: boolean; sink: Sink },
): Promise<Served> {
  const { name, shares, isPreview, sink } = options;
  const folder = await makeTempDir();
  const host = createAppHost({ app: name, onLog: () => {}, connectionShares: shares, isPreview });
  const server = createServer({ pauseOnConnect: true }, (socket) => host.handle(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const count = isPreview ? previewFunctions : functionsPerApp;
  const versions = Array.from({ length: count }, () => 1);
  return {
    async deploy(version) {
      // A push changes some of them; the workers of the others are carried over.
      for (let i = 0; i < (version === 1 ? count : changed); i++) versions[(version * changed + i) % count] = version;
      const modules = Object.fromEntries(versions.map((each, i) => [`/f${i}`, handler(each)]));
      const release = await writeRelease(folder.path, modules, {
        id: `r${version}`,
        env: { DATABASE_URL: db.url },
        database: { maxConnections: budget, acquireTimeoutMs: 20_000, connectTimeoutMs: 20_000 },
        // Another number of open files needs another process: there are two for a while.
        limits: { openFiles: 4096 + Math.floor(version / switchesPerProcess) },
      });
      const { functions } = await host.load(release, { check: true });
      const failed = functions.find(({ error }) => error !== null);
      if (failed !== undefined) throw new Error(`${failed.name}: ${failed.error!.message}`);
      await host.activate(release);
    },
    async warm() {
      for (let i = 0; i < count; i++) {
        const calls = Array.from({ length: workers }, () => fetchFrom(target, { path: `/f${i}`, deadlineMs: bootMs }));
        await Promise.all(calls);
      }
    },
    load: (clients, signal) =>
      Promise.all(
        Array.from({ length: clients }, async (_, offset) => {
          for (let turn = 0; !signal.aborted; turn++) {
            const path = `/f${(offset * 7 + turn * 13) % count}`;
            const answer = await fetchFrom(target, { path, deadlineMs: bootMs }).then(
              ({ status, text }) => (status === 200 ? '200' : (/"code":\s*"(\w+)"/.exec(text)?.[1] ?? String(status))),
              (error: Error) => error.message,
            );
            sink.answers.set(answer, (sink.answers.get(answer) ?? 0) + 1);
          }
        }),
      ),
    async [Symbol.asyncDispose]() {
      server.close();
      await host.stop();
      await folder.remove();
    },
  };
}

/** A hundred functions with four workers each, previews and switches at full load: never more connections than the budgets. */
export async function databaseSoak({ minutes }: { minutes: number }): Promise<boolean> {
  await using stack = new AsyncDisposableStack();
  const db = stack.use(await startMariaDb({ args: [`--max-connections=${serverConnections}`] }));
  const sink: Sink = { answers: new Map() };
  const own: Served[] = [];
  const previews: Served[] = [];
  for (let index = 0; index < apps; index++) {
    const shares = new ConnectionShares();
    const app = stack.use(await serve(db, { name: `app${index}`, shares, isPreview: false, sink }));
    own.push(app);
    await app.deploy(1);
    await app.warm();
    for (let preview = 0; preview < previewsPerApp; preview++) {
      const name = `preview${preview}-app${index}`;
      previews.push(stack.use(await serve(db, { name, shares, isPreview: true, sink })));
      await previews.at(-1)!.deploy(1);
    }
    console.log(`  app ${index + 1} of ${apps}: ${functionsPerApp} functions, ${previewsPerApp} previews`);
  }
  const ending = new AbortController();
  const endsAt = performance.now() + minutes * 60_000;
  const loads = [
    ...own.map((app) => app.load(functionsPerApp * workers, ending.signal)),
    ...previews.map((preview) => preview.load(previewFunctions * 2, ending.signal)),
  ];
  const sampling = sample(db, ending.signal);
  // While something else fails nobody waits for it.
  sampling.catch(() => {});
  let switches = 0;
  for (let version = 2; performance.now() < endsAt; version++) {
    for (const each of [...own, ...previews]) {
      if (performance.now() >= endsAt) break;
      // A machine that is too busy may not load all functions in time: then the release before it serves on.
      const failure = await each.deploy(version).then(
        () => null,
        (error: Error) => error.message,
      );
      if (failure === null) switches++;
      else console.log(`  a switch failed: ${failure}`);
    }
    console.log(`  ${switches} switches; ${told(sink)}`);
  }
  ending.abort();
  await Promise.all(loads);
  const { samples, most, once } = await sampling;
  const [row] = await db.sql("SHOW GLOBAL STATUS LIKE 'Connection_errors_max_connections'");
  const refused = Number(row!['Value']);
  console.log(`\n  ${switches} switches; ${told(sink)}`);
  console.log(
    `  connections in ${samples} looks: ${once} at most, ${most} in two in a row; allowed are ${apps * budget}`,
  );
  const failed = [...sink.answers.keys()].filter((answer) => answer.startsWith('FN_DB_'));
  return printVerdict([
    [
      `the server, which takes ${serverConnections}, refused nobody for too many connections (${refused})`,
      refused === 0,
    ],
    [`never more connections than the budgets of ${apps} apps, ${apps * budget} (${most})`, most <= apps * budget],
    [`they were used: nine tenths of them at one moment (${most})`, most >= 0.9 * apps * budget],
    [`no request failed for a connection (${failed.join(', ') || 'none'})`, failed.length === 0],
    [`switches under load (${switches})`, switches >= apps],
  ]);
}

function told({ answers }: Sink): string {
  return [...answers].map(([answer, count]) => `${answer}: ${count}`).join(', ');
}

/**
 * Looks at the server's own count until `signal`. It closes a connection before it counts it down: on a busy machine a single
 * look may find one more than there are, so what two in a row find is told beside it.
 */
async function sample(db: MariaDb, signal: AbortSignal): Promise<{ samples: number; most: number; once: number }> {
  let samples = 0;
  let most = 0;
  let once = 0;
  let last = 0;
  while (!signal.aborted) {
    const count = await db.connections();
    most = Math.max(most, Math.min(count, last));
    once = Math.max(once, count);
    last = count;
    samples++;
    await delay(5);
  }
  return { samples, most, once };
}
