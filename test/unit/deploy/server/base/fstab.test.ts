import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addNoatime, addSwap } from '../../../../../deploy/server/steps/base/disk/fstab.ts';

const debian = `# /etc/fstab: static file system information.
# / was on /dev/vda1 during installation
UUID=6b3c1a52-0f1e-4f0e-9d0a-0123456789ab /               ext4    errors=remount-ro 0       1
/dev/vda2\tnone\tswap\tsw\t0\t0
tmpfs /tmp tmpfs nosuid 0 0
`;

test('fstab gets noatime for the root and keeps everything else', () => {
  expect(addNoatime(debian)).toBe(debian.replace('errors=remount-ro 0', 'errors=remount-ro,noatime 0'));
  expect(addNoatime('/dev/vda1 / xfs defaults,relatime 0 0')).toBe('/dev/vda1 / xfs defaults,noatime 0 0');
  // Two fields fewer are allowed.
  expect(addNoatime('PARTUUID=ab / ext4 rw\n')).toBe('PARTUUID=ab / ext4 rw,noatime\n');
});

test('fstab with noatime already, or another decision, or another file system, is left alone', () => {
  const once = addNoatime(debian) ?? '';
  expect(addNoatime(once)).toBeNull();
  for (const options of ['noatime', 'rw,strictatime', 'lazytime,rw']) {
    expect(addNoatime(`/dev/vda1 / ext4 ${options} 0 1\n`)).toBeNull();
  }
  expect(addNoatime('/dev/vda1 / btrfs defaults 0 0\n')).toBeNull();
  expect(addNoatime('/dev/vdb1 /srv ext4 defaults 0 0\n#/dev/vda1 / ext4 defaults 0 1\n')).toBeNull();
  expect(addNoatime('')).toBeNull();
});

test('fstab gets the swap file once, on a line of its own', () => {
  expect(addSwap('/dev/vda1 / ext4 rw 0 1', '/swapfile')).toBe(
    '/dev/vda1 / ext4 rw 0 1\n/swapfile none swap sw,nofail 0 0\n',
  );
  expect(addSwap(addSwap('', '/swapfile') ?? '', '/swapfile')).toBeNull();
  expect(addSwap('#/swapfile none swap sw 0 0\n', '/swapfile')).not.toBeNull();
});

test('fstab as we change it passes the judgement of findmnt', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fnrun-fstab-'));
  try {
    const file = join(folder, 'fstab');
    writeFileSync(join(folder, 'swapfile'), '');
    const verify = (text: string): void => {
      writeFileSync(file, text);
      execFileSync('findmnt', ['--verify', '--tab-file', file], { stdio: 'pipe' });
    };
    const text = addSwap(addNoatime('tmpfs / ext4 rw 0 1\n') ?? '', join(folder, 'swapfile')) ?? '';
    expect(() => verify(text)).not.toThrow();
    expect(() => verify(text.replace(' ext4', '\n'))).toThrow('parse error');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
