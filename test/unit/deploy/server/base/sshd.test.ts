import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  judgeEffective,
  parseEffective,
  type Effective,
} from '../../../../../deploy/server/steps/base/sshd/effective.ts';
import { renderSshd } from '../../../../../deploy/server/steps/base/sshd/render-sshd.ts';
import type { SshdFacts } from '../../../../../deploy/server/steps/base/sshd/sshd-facts.ts';
import { makeSshdFolder } from '../../../../support/sshd.ts';

const query = (what: string): string[] => execFileSync('ssh', ['-Q', what], { encoding: 'utf8' }).trim().split('\n');
const facts: SshdFacts = {
  supported: { kex: query('kex'), cipher: query('cipher'), mac: query('mac'), hostKey: query('HostKeyAlgorithms') },
  goodHostKey: true,
  rootLogin: 'prohibit-password',
};

let folder: string;
beforeAll(() => {
  makeSshdFolder();
  folder = mkdtempSync(join(tmpdir(), 'fnrun-sshd-'));
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')]);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the sshd of this machine makes of the drop-in, read before the rest as on a server. */
function effective(user: string, { dropIn, rest }: { dropIn: string; rest: string }): Effective {
  writeFileSync(join(folder, '00-fnrun.conf'), dropIn);
  const text = `Include ${folder}/00-fnrun.conf\nHostKey ${folder}/key\n${rest}`;
  writeFileSync(join(folder, 'sshd_config'), text);
  const argv = ['-T', '-f', join(folder, 'sshd_config'), '-C', `user=${user},host=client.invalid,addr=192.0.2.1`];
  return parseEffective(execFileSync('/usr/sbin/sshd', argv, { encoding: 'utf8' }));
}

const careless =
  'PasswordAuthentication yes\nPermitRootLogin yes\nX11Forwarding yes\nKbdInteractiveAuthentication yes\nUsePAM yes\n';

test('sshd with the drop-in takes keys only, whatever the rest says', () => {
  const options = { dropIn: renderSshd(facts), rest: careless };
  for (const user of ['root', 'deployer', 'fnrun']) {
    expect(judgeEffective(effective(user, options), { user }), user).toEqual([]);
  }
  const root = effective('root', options);
  expect(root.get('permitrootlogin')).toEqual(['without-password']);
  expect(root.get('ciphers')?.[0]).toContain('aes256-gcm@openssh.com');
  expect(root.get('macs')?.[0]).not.toContain('sha1');
  expect(root.get('kexalgorithms')?.[0]).not.toContain('nistp');
  // What is for pushes is for nobody else, and what comes after the file is for all.
  expect(root.get('permittty')).toEqual(['yes']);
  expect(root.get('authorizedkeysfile')).toEqual(['.ssh/authorized_keys .ssh/authorized_keys2']);
  expect(root.get('usepam')).toEqual(['yes']);
  const closed = effective('root', { dropIn: renderSshd({ ...facts, rootLogin: 'no' }), rest: careless });
  expect(closed.get('permitrootlogin')).toEqual(['no']);
});

test('sshd without the drop-in, and one whose Match block wins over it, is judged', () => {
  expect(judgeEffective(effective('root', { dropIn: '', rest: careless }), { user: 'root' })).toEqual([
    'passwordauthentication is yes for root, not no',
    'kbdinteractiveauthentication is yes for root, not no',
    'permitrootlogin is yes',
  ]);
  const rest = 'Match User deployer\nPasswordAuthentication yes\n';
  expect(judgeEffective(effective('deployer', { dropIn: renderSshd(facts), rest }), { user: 'deployer' })).toEqual([
    'passwordauthentication is yes for deployer, not no',
  ]);
});

test('a list that leaves out those who have to log in is told', () => {
  const dropIn = renderSshd(facts);
  const allow = effective('fnrun', { dropIn, rest: 'AllowUsers ann deploy*@192.0.2.*\nDenyGroups guests\n' });
  expect(judgeEffective(allow, { user: 'fnrun', groups: ['fnrun'] })).toEqual(['AllowUsers does not name fnrun']);
  expect(judgeEffective(allow, { user: 'deployer', groups: ['guests'] })).toContain(
    'DenyGroups names a group of deployer',
  );
  expect(judgeEffective(allow, { user: 'deployer', groups: ['guests'] })).not.toContain(
    'AllowUsers does not name deployer',
  );
  const groups = effective('fnrun', { dropIn, rest: 'AllowGroups sudo fn*\n' });
  expect(judgeEffective(groups, { user: 'fnrun', groups: ['fnrun'] })).toEqual([]);
  expect(judgeEffective(groups, { user: 'fnrun', groups: ['www'] })).toEqual(['AllowGroups names no group of fnrun']);
});

test('algorithms that this OpenSSH does not have are not named, and a line without any is left out', () => {
  const old = { ...facts, supported: { ...facts.supported, kex: ['curve25519-sha256'], mac: ['hmac-sha1'] } };
  const text = renderSshd({ ...old, goodHostKey: false });
  expect(text).toMatch(/^KexAlgorithms curve25519-sha256$/m);
  expect(text).toMatch(/^# MACs left as it is/m);
  expect(text).not.toMatch(/^(MACs|HostKeyAlgorithms)/m);
});
