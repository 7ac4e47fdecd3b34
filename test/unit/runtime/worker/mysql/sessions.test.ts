import { expect, test } from 'vitest';
import { judge } from '../../../../../runtime/worker/mysql/sessions.ts';

test.each([
  'SELECT * FROM users WHERE id = ?',
  'select a from t for update',
  'INSERT INTO users (name, mail) VALUES (?, ?)',
  'update t set a = ? where b = ?',
  'DELETE FROM t',
  'WITH x AS (SELECT 1) SELECT * FROM x',
  '(SELECT 1) UNION (SELECT 2);',
  'BEGIN',
  'start transaction',
  'commit',
  'ROLLBACK TO SAVEPOINT a',
  'savepoint a',
])('%s leaves nothing that the server does not tell of', (sql) => {
  expect(judge(sql).leaves).toBe(false);
});

test.each([
  'SELECT @x := 1',
  'SELECT 1 INTO @x',
  "SELECT GET_LOCK('a', 1)",
  'SET autocommit = 0',
  'USE other',
  'CREATE TEMPORARY TABLE t (a INT)',
  'LOCK TABLES t WRITE',
  'PREPARE s FROM "SELECT 1"',
  'CALL p()',
  'SELECT /*!50000 GET_LOCK("a", 1) */ 1',
  'SELECT 1; SET @x = 1',
  'SELECT LAST_INSERT_ID(7)',
  'HANDLER t OPEN',
  'DO SLEEP(1)',
  'start transaction read only',
])('%s may leave something behind', (sql) => {
  expect(judge(sql).leaves).toBe(true);
});
