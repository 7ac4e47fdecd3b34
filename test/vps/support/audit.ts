import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeTempDir } from '../../support/temp-dir.ts';
import { runProgram } from './programs.ts';
import { boot, type Vm } from './vm.ts';

/*
 * What others say of a test machine's security, for docs/server-security.md: `node test/vps/support/audit.ts [--from DISK] [--tls NAME]`.
 * lynis and systemd-analyze look from within, ssh-audit and testssl.sh (with --tls, at that name) from here. Needs ssh-audit and testssl.sh.
 */

/** lynis' tests of all certificates, of every service by systemd-analyze and of modes of files: with them it had done half after 25 minutes, emulated. */
const skipped = ['CRYP-7902', 'BOOT-5264', 'FILE-7524'];

const { values } = parseArgs({ options: { from: { type: 'string' }, tls: { type: 'string' } } });
await using vm = await boot(values.from === undefined ? {} : { from: values.from });
await auditSsh(vm);
await auditUnits(vm);
await auditSystem(vm);
if (values.tls !== undefined) await auditTls(vm, values.tls);

async function auditSsh({ ports }: Vm): Promise<void> {
  const { stdout } = await runProgram(['ssh-audit', '-n', '-p', String(ports.ssh), '127.0.0.1'], {
    timeoutMs: 300_000,
  });
  const lines = stdout.split('\n').filter((line) => /\[(?:fail|warn)\]/.test(line));
  const count = (grade: string): number => lines.filter((line) => line.includes(`[${grade}]`)).length;
  console.log(`ssh-audit: ${count('fail')} fails, ${count('warn')} warnings`);
  for (const line of lines) console.log(`  ${line.replaceAll(/\s+/g, ' ')}`);
}

async function auditUnits(machine: Vm): Promise<void> {
  console.log('systemd-analyze security:');
  console.log(await machine.sh('systemd-analyze security --no-pager | sort -k2 -n'));
}

async function auditSystem(machine: Vm): Promise<void> {
  await machine.sh('apt-get -q update && apt-get -q -y install --no-install-recommends lynis', {
    timeoutMs: 1_200_000,
  });
  const profile = skipped.map((id) => `skip-test=${id}\n`).join('');
  await machine.run(['sh', '-c', 'cat > /etc/lynis/custom.prf'], { input: profile });
  await machine.run(['lynis', 'audit', 'system', '--quick', '--no-colors', '--quiet'], { timeoutMs: 2_400_000 });
  const report = await machine.sh('cat /var/log/lynis-report.dat');
  const told = (key: string): string[] =>
    report.split('\n').flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
  console.log(
    `lynis ${told('lynis_version').join('')}: hardening index ${told('hardening_index').join('')}, without ${skipped.join(', ')}`,
  );
  for (const key of ['warning[]', 'suggestion[]']) {
    console.log(`  ${told(key).length} ${key}`);
    for (const line of told(key)) console.log(`    ${line.split('|').slice(0, 2).join(' ')}`);
  }
}

async function auditTls({ ports }: Vm, name: string): Promise<void> {
  await using folder = await makeTempDir('fnrun-audit-');
  const file = join(folder.path, 'testssl.json');
  const url = `https://${name}:${ports.https}`;
  const args = ['--quiet', '--color', '0', '--warnings', 'off', '--ip', '127.0.0.1', '--jsonfile', file, url];
  await runProgram(['testssl', ...args], { timeoutMs: 2_400_000 });
  const findings = JSON.parse(await readFile(file, 'utf8')) as { id: string; severity: string; finding: string }[];
  const grave = findings.filter(({ severity }) => ['CRITICAL', 'HIGH', 'MEDIUM', 'WARN'].includes(severity));
  console.log(`testssl.sh: ${findings.length} findings, ${grave.length} of them worth a look`);
  const told = findings.filter(({ id }) => /^(?:SSLv|TLS1|overall_grade|final_score)/.test(id));
  for (const { id, severity, finding } of [...told, ...grave]) console.log(`  ${severity} ${id}: ${finding}`);
}
