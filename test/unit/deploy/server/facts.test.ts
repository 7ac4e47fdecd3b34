import { describe, expect, it } from 'vitest';
import { gatherFacts, readFacts } from '../../../../deploy/server/gather-facts.ts';
import { localMachine } from '../../../../deploy/server/local-machine.ts';
import { checkMachine, whyNot } from '../../../../deploy/server/requirements.ts';

const look = [
  'os=debian',
  'version=12',
  'codename=bookworm',
  'arch=amd64',
  'cores=2',
  'memoryKb=2014912',
  'swapKb=0',
  'diskFreeKb=20971520',
  'glibc=glibc 2.36',
  'systemd=yes',
  'uid=0',
  'hostname=shop',
  'ssh=10.0.2.2 51234 10.0.2.15 2222',
  'port=22',
  'port=2222',
  'port=22',
  'configured=22',
].join('\n');

describe('the facts of a machine', () => {
  it('are read from one look', () => {
    expect(readFacts(look)).toEqual({
      os: 'debian',
      version: '12',
      codename: 'bookworm',
      arch: 'x64',
      cores: 2,
      memoryMb: 1967,
      swapMb: 0,
      diskFreeMb: 20480,
      glibc: '2.36',
      systemd: true,
      container: false,
      sshPorts: [2222, 22],
      hostname: 'shop',
      installed: false,
      root: true,
    });
  });

  it('take the configured port where nobody could tell who listens', () => {
    expect(readFacts('ssh=\nconfigured=2200').sshPorts).toEqual([2200]);
  });

  it('are gathered from a real one', async () => {
    const facts = await gatherFacts(localMachine());
    expect(facts.cores).toBeGreaterThan(0);
    expect(facts.memoryMb).toBeGreaterThan(0);
    expect(facts.diskFreeMb).toBeGreaterThan(0);
    expect(facts.arch).toBe(process.arch);
  });
});

describe('a machine that cannot be set up', () => {
  it('is told all reasons at once', () => {
    const facts = { ...readFacts(look), os: 'fedora', version: '42', systemd: false, memoryMb: 500, arch: 'riscv64' };
    expect(whyNot({ ...facts, diskFreeMb: 100, root: false })).toEqual([
      'it runs fedora 42',
      'the commands do not run as root there',
      'systemd does not run it',
      'there is no Node for its architecture, riscv64',
      'it has 500 MB of memory, at least 900 are needed',
      '100 MB of its disk are free, at least 3000 are needed',
    ]);
    expect(() => checkMachine(facts, { name: 'shop' })).toThrow(expect.objectContaining({ code: 'FN_SETUP_FAILED' }));
  });

  it.each([
    ['debian', '12', true],
    ['debian', '13', true],
    ['ubuntu', '24.04', true],
    ['debian', '11', false],
    ['ubuntu', '22.04', false],
    ['constructor', '12', false],
  ])('%s %s: %s', (os, version, fits) => {
    expect(whyNot({ ...readFacts(look), os, version }).length === 0).toBe(fits);
  });

  it('needs less of the disk when fnrun is there already', () => {
    expect(whyNot({ ...readFacts(look), diskFreeMb: 1_000, installed: true })).toEqual([]);
  });
});
