import { join } from 'node:path';
import { startMariaDb } from '../../support/mariadb.ts';
import type { MariaDb } from '../../support/mariadb.ts';
import { compare } from '../compare.ts';
import { rangeRows, userRows } from '../fixtures/mysql/functions/_shared.ts';
import { own } from '../report.ts';
import type { BenchCase, BenchContext, Target } from '../report.ts';
import { startOwn } from '../server.ts';
import type { BenchServer } from '../server.ts';
import { crowd, crowdApps, crowdConnections } from './mysql-crowd.ts';

const connections = 10;
const batch = 5_000;
const peer = 'node:http + mysql2';

const user = (id: number): object => ({ id, name: `User ${id}`, email: `user${id}@example.org`, balance: id % 1000 });

const target: Target = { least: 0.9 };

/** What is compared, with what the first request must be answered with. */
const loads: Record<string, { seconds: number; expected: unknown }> = {
  point: { seconds: 2, expected: user(7) },
  range: { seconds: 1, expected: Array.from({ length: rangeRows }, (_, index) => user(7 + index)) },
  insert: { seconds: 1, expected: { ok: true } },
  transaction: { seconds: 1, expected: { ok: true } },
};

/** Handlers with a database, beside the same pool in a plain server; and many functions at a server that takes few. */
export const mysql: BenchCase = {
  name: 'mysql',
  summary: `${userRows.toLocaleString('en')} rows: point select, range, insert, transaction; ${crowdApps * 25} functions x 4 workers`,
  needs: ['wrk', 'mariadb'],
  async run(context) {
    await using db = await startMariaDb({
      args: [`--max-connections=${crowdConnections}`, '--innodb-buffer-pool-size=256M', '--innodb-log-file-size=128M'],
    });
    await fill(db, context);
    for (const [name, load] of Object.entries(loads)) await compareLoad(db, { name, ...load }, context);
    if (context.profile === undefined) await crowd(db, context);
  },
};

async function fill(db: MariaDb, { say }: BenchContext): Promise<void> {
  const startedMs = performance.now();
  const columns = 'name VARCHAR(50) NOT NULL, email VARCHAR(80) NOT NULL, balance INT NOT NULL';
  await db.sql(
    'USE app',
    `CREATE TABLE users (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, ${columns}, KEY (email))`,
    `CREATE TABLE arrivals (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, ${columns})`,
  );
  for (let first = 1; first <= userRows; first += batch) {
    const rows = Array.from({ length: batch }, (_, index) => Object.values(user(first + index)));
    await db.root.query('INSERT INTO users VALUES ?', [rows]);
  }
  say(`${userRows} rows in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
}

async function compareLoad(
  db: MariaDb,
  { name, seconds, expected }: { name: string; seconds: number; expected: unknown },
  context: BenchContext,
): Promise<void> {
  const at = (server: BenchServer): BenchServer => ({ ...server, url: `${server.url}${name}` });
  const profile = context.profile === undefined ? [] : ['--profile', context.profile];
  const source = join(import.meta.dirname, '../fixtures/mysql');
  await compare(
    {
      case: `mysql-${name}`,
      sides: [
        {
          name: own,
          start: async () => at(await startOwn('fnrun-app.ts', [source, '--database', db.url, ...profile])),
        },
        {
          name: peer,
          start: async () => at(await startOwn('mysql-node-http.ts', [db.socketPath, String(connections)])),
        },
      ],
      load: {},
      seconds,
      request: { path: `/${name}?id=7` },
      expected: JSON.stringify(expected),
      targets: { [peer]: { throughput: target } },
    },
    context,
  );
}
