import { afterAll, beforeAll, expect, test } from 'vitest';
import { fetchFrom } from '../../support/http.ts';
import { startHost } from '../../support/host.ts';
import { importMysql, startMariaDb } from '../../support/mariadb.ts';
import type { MariaDb } from '../../support/mariadb.ts';

let db: MariaDb;
beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db[Symbol.asyncDispose]());

test('a handler selects from the database of DATABASE_URL', async () => {
  const { target, deploy } = await startHost();
  const source = `${importMysql}
    export default async () => {
      const [rows] = await pool.query('SELECT ? + 1 AS n, CURRENT_USER() AS who, DATABASE() AS db', [41]);
      return Response.json(rows);
    };`;
  await deploy({ '/': source }, { env: { DATABASE_URL: db.url } });
  const { status, text } = await fetchFrom(target, { path: '/' });
  expect([status, JSON.parse(text)]).toEqual([200, [{ n: 42, who: 'app@%', db: 'app' }]]);
});
