import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createControlClient } from '../../cli/control-client.ts';
import { createDatabasesPart } from '../../deploy/sync/databases/part.ts';
import { runSync } from '../../deploy/sync/run-sync.ts';
import { startMariaDb } from '../support/mariadb.ts';
import type { MariaDb } from '../support/mariadb.ts';
import { eventually } from '../support/deadline.ts';
import { runCli } from '../support/cli.ts';
import { startServe } from '../support/serve.ts';

let db: MariaDb;
beforeAll(async () => {
  db = await startMariaDb({ args: ['--max-connections=30'] });
});
afterAll(() => db[Symbol.asyncDispose]());

test('a new app has its database when it is made, where root looks after the server', { timeout: 90_000 }, async () => {
  await using serve = await startServe();
  const run = join(serve.home, 'run');
  const serverFile = join(serve.home, 'server.json');
  await writeFile(serverFile, JSON.stringify({ database: 'mariadb' }));
  const client = createControlClient(serve.home, { key: null });
  const told: string[] = [];
  const sync = async () =>
    await runSync({
      run,
      serverFile,
      ask: (method, path, body) => client.request(method, path, { body }),
      parts: [createDatabasesPart({ socketPath: db.socketPath })],
      slow: [],
      log: (line) => void told.push(line),
      now: Date.now,
      signal: AbortSignal.timeout(60_000),
    });
  const first = await sync();
  expect(first.parts).toEqual([{ id: 'databases', changed: ['raised max_connections to 110'], problems: [] }]);
  // As the unit that watches the file: root begins when the daemon has asked.
  const made = runCli(['apps', 'create', 'shop', '--home', serve.home]);
  const wanted = 'databases: shop has a database of its own now, and its DATABASE_URL';
  // One call may look several times, and resolves to what the last look found: what was done is in its log.
  await eventually(
    async () => {
      await sync();
      return told.includes(wanted);
    },
    { deadlineMs: 60_000, everyMs: 50 },
  );
  expect(told).toEqual(['databases: raised max_connections to 110', wanted]);
  expect((await made).code).toBe(0);
  const { stdout } = await runCli(['env', 'shop', 'list', '--values', '--home', serve.home]);
  expect(stdout).toMatch(/^DATABASE_URL=.?mysql:\/\/fnrun_shop:[\w-]{32}@localhost\/fnrun_shop\?socketPath=/);
  expect((await sync()).parts).toEqual([{ id: 'databases', changed: [], problems: [] }]);
});
