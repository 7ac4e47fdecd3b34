/**
 * The floor for handlers with a database: node:http and a pool of mysql2, on one thread.
 * `mysql-node-http.ts DATABASE_SOCKET CONNECTIONS`
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPool } from 'mysql2/promise';
import {
  idOf,
  insertSql,
  lockSql,
  payIn,
  pointSql,
  rangeRows,
  rangeSql,
  updateSql,
} from '../fixtures/mysql/functions/_shared.ts';

const [, , socketPath, connections] = process.argv;
const pool = createPool({
  socketPath: socketPath!,
  user: 'app',
  password: 'pa ss',
  database: 'app',
  connectionLimit: Number(connections),
});

const handlers: Record<string, (url: string) => Promise<unknown>> = {
  point: async (url) => {
    const [rows] = await pool.execute(pointSql, [idOf(url)]);
    return (rows as object[])[0];
  },
  range: async (url) => {
    const id = idOf(url);
    const [rows] = await pool.execute(rangeSql, [id, id + rangeRows - 1]);
    return rows;
  },
  insert: async () => {
    await pool.execute(insertSql, ['Ada Lovelace', 'ada@example.org', 100]);
    return { ok: true };
  },
  transaction: async (url) => {
    const id = idOf(url);
    const connection = await pool.getConnection();
    try {
      await connection.beginTransaction();
      const [rows] = await connection.execute(lockSql, [id]);
      await connection.execute(updateSql, [payIn(rows), id]);
      await connection.commit();
    } catch (error) {
      await connection.rollback();
      throw error;
    } finally {
      connection.release();
    }
    return { ok: true };
  },
};

const server = createServer({ noDelay: true, keepAliveTimeout: 75_000 }, (req, res) => {
  const url = req.url ?? '/';
  const answer = handlers[url.slice(1).split('?')[0]!]!(url);
  answer.then(
    (value) => {
      const body = JSON.stringify(value);
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
      res.end(body);
    },
    (error: Error) => res.writeHead(502).end(error.message),
  );
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
);
process.stdin.on('end', () => process.exit(0)).resume();
