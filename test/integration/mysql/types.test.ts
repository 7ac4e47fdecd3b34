import { expect, test } from 'vitest';
import { makeTempDir, writeTree } from '../../support/temp-dir.ts';
import { runTypeScript } from '../../support/typescript.ts';

test('fnrun/mysql is typed: rows, value lists, transactions and named databases', { timeout: 60_000 }, async () => {
  await using dir = await makeTempDir();
  await writeTree(dir.path, {
    'functions/index.ts': `
      import { callbackPool, database, pool, transaction, type Connection } from 'fnrun/mysql';

      const insert = (on: Connection): Promise<unknown> => on.query('INSERT INTO notes (text) VALUES (?)', ['a']);
      export default async (): Promise<Response> => {
        const [rows] = await pool.query('SELECT 1 AS n');
        await transaction(async (connection) => insert(connection), { retries: 1, isolation: 'serializable' });
        await database('reports').transaction((connection) => connection.query('SELECT 1'));
        callbackPool.query('SELECT 1', (error) => console.log(error));
        // @ts-expect-error there is no such level
        await transaction(insert, { isolation: 'none' });
        // @ts-expect-error a value list is a list or an object
        await pool.execute('SELECT ?', () => 1);
        return Response.json(rows);
      };`,
  });
  expect(await runTypeScript(dir.path)).toBe('');
});
