import { expect, test } from 'vitest';
import { userNumbers, type UserFiles } from '../../../../deploy/users/user-range.ts';

const none: UserFiles = { passwd: '', group: '', subuid: '', subgid: '' };

test('numbers of users and groups of the machine are left out', () => {
  const files = {
    ...none,
    passwd: 'root:x:0:0:root:/root:/bin/bash\n# a comment\nanna:x:70003:70003::/home/anna:/bin/sh\n',
    group: 'root:x:0:\nproject:x:70007:anna\n',
  };
  const numbers = userNumbers({ first: 70_000, count: 10 }, files);
  expect(numbers).toMatchObject({ first: 70_000, last: 70_009 });
  expect([...numbers.taken].toSorted()).toEqual([70_003, 70_007]);
});

test.each([
  ['subuid', 'anna:70005:65536', 'anna'],
  ['subuid', 'anna:100000:65536\nbob:60000:10001', 'bob'],
  ['subgid', '1000:69999:2', '1000'],
] as const)('a range of which /etc/%s lends something is refused: %j', (file, text, name) => {
  expect(() => userNumbers({ first: 70_000, count: 10 }, { ...none, [file]: text })).toThrow(
    `the numbers 70000 to 70009, of which /etc/${file} lends some to ${name}`,
  );
});

test('ranges that are lent beside it do not matter, and a range has a first number', () => {
  const subuid = 'anna:100000:65536\nbob:69990:10\ncarl:70010:5\n';
  expect(userNumbers({ first: 70_000, count: 10 }, { ...none, subuid }).taken.size).toBe(0);
  expect(() => userNumbers({ count: 10 }, none)).toThrow('has no "first"');
});
