import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { DumpForLoading } from '../../../../deploy/backup/dump-lines.ts';

/** What becomes of a dump that comes in pieces of `size` bytes. */
async function loaded(text: string, size: number): Promise<string> {
  const bytes = Buffer.from(text);
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
  return (await buffer(Readable.from(pieces).pipe(new DumpForLoading()))).toString();
}

const lines = [
  ['/*M!999999\\- enable the sandbox mode */ ', ''],
  ['/*!50013 DEFINER=`a``b`@`local%` SQL SECURITY DEFINER */', '/*!50013  SQL SECURITY DEFINER */'],
  [
    '/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`b`*/ /*!50003 TRIGGER t',
    '/*!50003 CREATE*/ /*!50017 */ /*!50003 TRIGGER t',
  ],
  ['/*!50106 CREATE*/ /*!50117 DEFINER=`a`@`b`*/ /*!50106 EVENT e', '/*!50106 CREATE*/ /*!50117 */ /*!50106 EVENT e'],
  ['CREATE DEFINER=`a`@`b` PROCEDURE `p`()', 'CREATE  PROCEDURE `p`()'],
  ['ALTER DATABASE `shop` CHARACTER SET latin1 COLLATE latin1_swedish_ci ;', ''],
  ['  USE INDEX (a)', '  USE INDEX (a)'],
  ['USE INDEX (a)', 'USE INDEX (a)'],
  [`INSERT INTO t VALUES ('${'ø'.repeat(3000)}','DEFINER=\`a\`@\`b\`');`, null],
  ['-- CREATE DEFINER=`a`@`b`', null],
  ['', null],
  ['END ;;', null],
] as const;

test.each([1, 7, 1024, 100_000])('a dump loses its owners, and nothing else, in pieces of %i bytes', async (size) => {
  const before = lines.map(([line]) => line).join('\n');
  const after = lines.map(([line, wanted]) => wanted ?? line).join('\n');
  expect(await loaded(before, size)).toBe(after);
  expect(await loaded(`${before}\n`, size)).toBe(`${after}\n`);
});

test.each([
  'USE `shop`;',
  'CREATE DATABASE /*!32312 IF NOT EXISTS*/ `shop`;',
  '/*!40000 DROP DATABASE IF EXISTS `shop`*/;',
])('a dump that turns to another schema is not loaded: %s', async (line) => {
  await expect(loaded(`-- a\n${line}\n`, 5)).rejects.toThrow('of its own choice');
});
