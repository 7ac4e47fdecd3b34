import { createPool, type Connection, type Pool } from 'mysql2/promise';
import { runCli } from '../../support/cli.ts';
import { startMariaDb, type MariaDb } from '../../support/mariadb.ts';
import { makeTempDir } from '../../support/temp-dir.ts';
import { median, round } from '../measure.ts';
import { own, type BenchCase, type BenchContext } from '../report.ts';

/** What the configuration is rendered for: a small server, so that the run stays small. */
const memoryMb = 2048;
const rows = 1_200_000;
const connections = 8;
const seconds = 3;
const peer = 'MariaDB defaults';

/** All that Debian's 50-server.cnf sets beside paths. */
const debian = `[mysqld]
bind-address = 127.0.0.1
expire_logs_days = 10
character-set-server = utf8mb4
collation-server = utf8mb4_general_ci
`;

/** Debian's MariaDB as it comes beside the same with what `fnrun render mysql` writes. */
export const mysqlConfig: BenchCase = {
  name: 'mysql-config',
  summary: `MariaDB with the rendered configuration (--memory ${memoryMb}) beside its defaults, 374 MB of data`,
  needs: ['mariadb'],
  async run(context) {
    await using stack = new AsyncDisposableStack();
    const { text, writesPerSecond } = await render();
    context.report({
      case: 'mysql-config',
      name: 'synced writes of 16 KiB on this disk',
      side: own,
      value: round(writesPerSecond),
      unit: 'writes/s',
      samples: 1,
    });
    const sides: Side[] = [];
    for (const [name, config] of [
      [own, text],
      [peer, debian],
    ] as const) {
      const db = stack.use(await startMariaDb({ config }));
      const pool = createPool({ uri: db.url, connectionLimit: connections, namedPlaceholders: false });
      stack.defer(() => pool.end());
      context.say(`${name}: filling the table`);
      await fill(db);
      sides.push({ name, db, pool });
    }
    // Reads first: writes leave pages to be flushed, which would be charged to them.
    for (const load of [readLoad, writeLoad]) await compareSides(load, sides, context);
  },
};

interface Side {
  name: string;
  db: MariaDb;
  pool: Pool;
}

/** One kind of load. */
interface Load {
  name: string;
  unit: string;
  operation: (connection: Connection) => Promise<unknown>;
  /** A counter of the server that explains the figure, divided by the operations. */
  counter: { status: string; name: string; unit: string };
}

const anyRow = (): number => 1 + Math.floor(Math.random() * rows);

const readLoad: Load = {
  name: 'point selects over 374 MB',
  unit: 'selects/s',
  operation: (connection) => connection.execute('SELECT pad FROM t WHERE id = ?', [anyRow()]),
  counter: { status: 'Innodb_buffer_pool_reads', name: 'pages read from the disk for a select', unit: 'pages' },
};

let inserted = 0;
const writeLoad: Load = {
  name: 'single-row commits (an insert, then an update)',
  unit: 'commits/s',
  operation: async (connection) =>
    await (inserted++ % 2 === 0
      ? connection.execute('INSERT INTO t (k, pad) VALUES (?, REPEAT(UUID(), 7))', [anyRow()])
      : connection.execute('UPDATE t SET k = ? WHERE id = ?', [anyRow(), anyRow()])),
  counter: { status: 'Innodb_buffer_pool_pages_flushed', name: 'pages flushed for a commit', unit: 'pages' },
};

async function render(): Promise<{ text: string; writesPerSecond: number }> {
  // The disk below the data folders of the two servers.
  await using folder = await makeTempDir();
  const args = ['render', 'mysql', '--json', '--memory', String(memoryMb), '--measure', folder.path];
  const { code, stdout, stderr } = await runCli(args);
  if (code !== 0) throw new Error(stderr);
  const { text, facts } = JSON.parse(stdout) as { text: string; facts: { syncedWritesPerSecond: number } };
  return { text, writesPerSecond: facts.syncedWritesPerSecond };
}

async function fill(db: MariaDb): Promise<void> {
  await db.sql(
    'USE app',
    'CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, k INT NOT NULL, pad VARCHAR(300) CHARACTER SET ascii NOT NULL, KEY (k))',
    `INSERT INTO t (k, pad) SELECT FLOOR(RAND() * ${rows}), REPEAT(UUID(), 7) FROM seq_1_to_${rows}`,
    // What filling left is written, and the pool holds what it can.
    'FLUSH TABLES t FOR EXPORT',
    'UNLOCK TABLES',
    'SELECT SUM(LENGTH(pad)) FROM t FORCE INDEX (PRIMARY)',
  );
}

async function compareSides(load: Load, sides: readonly Side[], context: BenchContext): Promise<void> {
  const forSeconds = context.seconds ?? seconds;
  const measured = sides.map(({ name }) => ({ name, rates: [] as number[], counts: [] as number[] }));
  for (const side of sides) await put(side, { load, forSeconds });
  for (let index = 0; index < context.rounds; index++) {
    for (let turn = 0; turn < sides.length; turn++) {
      const at = (index + turn) % sides.length;
      const { rate, count } = await put(sides[at]!, { load, forSeconds });
      measured[at]!.rates.push(rate);
      measured[at]!.counts.push(count);
      context.say(`round ${index + 1} ${measured[at]!.name}: ${round(rate)} ${load.unit}`);
    }
  }
  const base = { case: 'mysql-config', samples: context.rounds };
  for (const { name, rates, counts } of measured) {
    context.report({
      ...base,
      name: load.name,
      side: name,
      value: round(median(rates)),
      unit: load.unit,
      rounds: rates,
    });
    const { name: what, unit } = load.counter;
    context.report({ ...base, name: what, side: name, value: round(median(counts)), unit, rounds: counts });
  }
  const [rendered, defaults] = measured;
  const ratios = rendered!.rates.map((rate, i) => rate / defaults!.rates[i]!);
  const figure = { ...base, name: load.name, side: own, over: peer, unit: 'x' };
  context.report({ ...figure, value: round(median(ratios)), rounds: ratios });
}

/** Puts one side under load from all connections; resolves with operations a second and the counter for each of them. */
async function put(
  side: Side,
  { load, forSeconds }: { load: Load; forSeconds: number },
): Promise<{ rate: number; count: number }> {
  const counted = async (): Promise<number> => {
    const [row] = await side.db.sql(`SHOW GLOBAL STATUS LIKE '${load.counter.status}'`);
    return Number(row?.['Value']);
  };
  const before = await counted();
  const startedAt = performance.now();
  const until = startedAt + forSeconds * 1000;
  const work = async (): Promise<number> => {
    const connection = await side.pool.getConnection();
    try {
      let done = 0;
      for (; performance.now() < until; done++) await load.operation(connection);
      return done;
    } finally {
      connection.release();
    }
  };
  const done = await Promise.all(Array.from({ length: connections }, work));
  const operations = done.reduce((sum, one) => sum + one, 0);
  const rate = (operations * 1000) / (performance.now() - startedAt);
  return { rate, count: ((await counted()) - before) / operations };
}
