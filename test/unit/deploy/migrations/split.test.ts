import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitSql } from '../../../../deploy/migrations/split.ts';

const texts = (sql: string): string[] => splitSql(sql).map((each) => each.sql);

test.each([
  ['semicolons', 'SELECT 1; SELECT 2;\nSELECT 3', ['SELECT 1', 'SELECT 2', 'SELECT 3']],
  ['nothing', ' ;;\n-- only words; here\n', []],
  [
    'strings',
    String.raw`SELECT 'a;b', 'it''s;', 'x\';y', "q;""z\";"; SELECT 2`,
    [String.raw`SELECT 'a;b', 'it''s;', 'x\';y', "q;""z\";"`, 'SELECT 2'],
  ],
  ['names in backticks, where a backslash is none', 'SELECT `a;``b\\`; SELECT 2', ['SELECT `a;``b\\`', 'SELECT 2']],
  ['line comments', "# it's;\nSELECT 1 -- don't;\n+ 1; --\nSELECT 2", ["SELECT 1 -- don't;\n+ 1", 'SELECT 2']],
  ['two minus signs that are no comment', 'SELECT 1--1; SELECT 2', ['SELECT 1--1', 'SELECT 2']],
  ['block comments', "/* it's; */ SELECT /* ; */ 1; SELECT 2", ['SELECT /* ; */ 1', 'SELECT 2']],
  [
    'executable comments',
    '/*!40101 SET a = 1; */; /*M! SET b = 2 */;',
    ['/*!40101 SET a = 1; */', '/*M! SET b = 2 */'],
  ],
  ['the marks of drizzle-kit', 'SELECT 1;\n--> statement-breakpoint\nSELECT 2;', ['SELECT 1', 'SELECT 2']],
  [
    'DELIMITER',
    'DELIMITER //\nCREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN SET NEW.a = 1; SET NEW.b = 2; END//\ndelimiter ;\nSELECT 3;',
    ['CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN SET NEW.a = 1; SET NEW.b = 2; END', 'SELECT 3'],
  ],
  [
    'a delimiter of letters, and in a string',
    "DELIMITER $$\nSELECT 'a$$b'$$\nSELECT 1; SELECT 2$$",
    ["SELECT 'a$$b'", 'SELECT 1; SELECT 2'],
  ],
  ['names that begin like DELIMITER', 'SELECT delimiter FROM t; delimiters', ['SELECT delimiter FROM t', 'delimiters']],
])('a file is split at %s', (_what, sql, wanted) => {
  expect(texts(sql)).toEqual(wanted);
});

test('statements know the line on which they begin', () => {
  const sql = "-- head\n\nSELECT '\n';\n/* a\nb */ SELECT 2;\nDELIMITER //\n\nSELECT 3//";
  expect(splitSql(sql).map(({ line }) => line)).toEqual([3, 6, 9]);
});

test.each([
  ["SELECT 1;\nSELECT 'a", 2, 'a string is not closed'],
  ['SELECT `a', 1, 'a quoted name is not closed'],
  ['\n\n/* a', 3, 'a comment is not closed'],
  ['DELIMITER\nSELECT 1', 1, 'DELIMITER names none'],
])('%j is refused with its line', (sql, line, message) => {
  expect(() => splitSql(sql)).toThrow(expect.objectContaining({ line, message }));
});

test('splitting loses nothing, whatever strings and comments hold', () => {
  const inner = fc.string({ maxLength: 20 });
  const quoted = (quote: string) =>
    inner.map((text) => quote + text.replaceAll('\\', '').replaceAll(quote, quote + quote) + quote);
  const part = fc.oneof(
    quoted("'"),
    quoted('"'),
    quoted('`'),
    inner.map((text) => `/* ${text.replaceAll('*', '')} */`),
    inner.map((text) => `-- ${text.replaceAll('\n', '')}\n`),
    fc.constantFrom('SELECT', '1', '(', ' - ', ' / ', '\n'),
  );
  const statement = fc.array(part, { maxLength: 8 }).map((parts) => `x ${parts.join(' ')}`.trimEnd());
  fc.assert(
    fc.property(fc.array(statement, { maxLength: 6 }), (statements) => {
      expect(texts(statements.map((each) => `${each}\n;\n`).join(''))).toEqual(statements);
    }),
  );
});

test('a file of 4 MiB is split in less than a second', () => {
  const sql = `INSERT INTO t VALUES ${"('it''s; text', 1),".repeat(200_000)}(1, 2);`;
  const startedMs = performance.now();
  expect(splitSql(sql)).toHaveLength(1);
  expect(performance.now() - startedMs).toBeLessThan(1_000);
});
