import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { renderUserData } from '../../../../deploy/server/cloud-init/render-user-data.ts';

const keys = ['ssh-ed25519 AAAA somebody'];

describe('user-data for cloud-init', () => {
  it.each([
    {
      kind: 'archive',
      url: 'https://files.example.no/it?a=1&b=$HOME',
      name: '0.1.0-1a2b3c4d5e6f',
      sha256: 'f'.repeat(64),
    } as const,
    { kind: 'package', spec: '@your/fnrun@0.1.0', npm: '11.1.0', registry: 'https://npm.example.no' } as const,
  ])('has a script that sh reads, and says what setup is asked for: $kind', (source) => {
    const text = renderUserData({ source, keys, args: ['--domain', 'apps.example.no', '--database', "it's"] });
    expect(text).toMatch(/^#cloud-config\n/);
    const begin = text.indexOf('      #!/bin/sh');
    const script = text.slice(begin, text.indexOf('\n# What it says')).replaceAll(/^ {6}/gm, '');
    execFileSync('sh', ['-n'], { input: script });
    expect(script).toContain(
      String.raw`server setup local --key /etc/fnrun/first-keys.pub --domain apps.example.no --database 'it'\''s'`,
    );
    expect(script).not.toMatch(/[^']https:\/\/\S*\$HOME/);
    expect(text).toContain('      ssh-ed25519 AAAA somebody\n');
  });
});
