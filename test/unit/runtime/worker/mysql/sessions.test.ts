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

test.each([
  ['SELECT LAST_INSERT_ID()', true],
  ['select @@identity', true],
  ['INSERT INTO items (order_id) VALUES (LAST_INSERT_ID())', true],
  ['CALL p(1)', true],
  ['SELECT price_of(id) FROM items', true],
  ['SELECT shop.price_of(id) FROM items', true],
  ['INSERT INTO t (a) SELECT make_code() FROM u', true],
  ['SELECT COUNT(*), MAX(a), COALESCE(b, NOW()) FROM t WHERE a IN (1, 2) AND (b = 1)', false],
  ['INSERT INTO users (name, mail) VALUES (?, ?)', false],
  ['insert ignore into `users`(name) values(?) on duplicate key update name = values(name)', false],
  ['SELECT CAST(a AS DECIMAL(10, 2)), DATE_ADD(b, INTERVAL 1 DAY) FROM t', false],
] as const)('%s may tell an id that an earlier statement made: %s', (sql, shows) => {
  expect(judge(sql).showsId).toBe(shows);
});

test('only an INSERT or REPLACE may make an id', () => {
  const made = ['INSERT INTO t (a) VALUES (1)', ' replace into t values (1)', 'UPDATE t SET a = 1', 'SELECT 1'];
  expect(made.map((sql) => judge(sql).makesId)).toEqual([true, true, false, false]);
});
