import { expect, test } from 'vitest';
import { addKeys } from '../../../../../deploy/server/steps/base/authorized-keys.ts';

const ann = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAnn ann@laptop';
const bob = 'sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaBob bob@desk';

test('keys that are missing are added at the end, and every other line stays', () => {
  expect(addKeys('', [ann])).toBe(`${ann}\n`);
  expect(addKeys(`# mine\n${bob}`, [ann, ann, ''])).toBe(`# mine\n${bob}\n${ann}\n`);
});

test('a key with options or another comment is there already', () => {
  const text = `from="192.0.2.1",command="echo \\"a b\\"" ${ann.replace('ann@laptop', 'other')}\n`;
  expect(addKeys(text, [ann])).toBe(text);
  expect(addKeys(`#${ann}\n`, [ann])).toBe(`#${ann}\n${ann}\n`);
});
