import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { repositoryRoot } from '../../support/cli.ts';
import { system } from './image.ts';
import { runProgram, type Ran } from './programs.ts';
import { boot, type Vm } from './vm.ts';

const setupMs = 3_600_000;
const execute = promisify(execFile);

/** The domain of the test servers: an app is `<app>.fnrun.test`. */
export const domain = 'fnrun.test';

/** Keys that are made once a run: the administrator's, and one that no server knows. */
export async function keyFile(name: 'admin' | 'stranger'): Promise<string> {
  const file = join(inject('vpsFolder'), name);
  if (!existsSync(file)) await execute('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file]);
  return file;
}

/** For GIT_SSH_COMMAND: whom it names as `vm`. The key is the administrator's, or root's own of before the setup. */
export async function sshCommand(vm: Vm, as: 'admin' | 'stranger' | 'root'): Promise<string> {
  if (as === 'root') return `ssh -F ${vm.sshConfig}`;
  return `ssh -F ${vm.sshConfig} -o ControlPath=none -o IdentityFile=none -i ${await keyFile(as)}`;
}

/** `fnrun` of the working tree, or of another `tree`, in the environment of somebody who reaches the machine as `vm`. */
export async function fnrun(
  vm: Vm,
  args: readonly string[],
  { as = 'root', tree = repositoryRoot }: { as?: 'admin' | 'root'; tree?: string } = {},
): Promise<Ran> {
  const command = await sshCommand(vm, as);
  return await runProgram([process.execPath, join(tree, 'cli/fnrun.js'), ...args], {
    timeoutMs: setupMs,
    env: { ...process.env, GIT_SSH_COMMAND: command },
  });
}

/** What a setup says with --json, as far as the tests read it. */
export interface SetupReport {
  ms: number;
  steps: { id: string; state: string; ms?: number; changes: { subject: string; what: string }[] }[];
}

/** `fnrun server setup root@vm`, with the options that the tests want. Rejects with all that it said when it fails. */
export async function setUp(
  vm: Vm,
  args: readonly string[] = [],
  options: { tree?: string } = {},
): Promise<SetupReport> {
  const key = `${await keyFile('admin')}.pub`;
  const command = ['server', 'setup', 'root@vm', '--json', '--domain', domain, '--key', key, ...args];
  const { code, stdout, stderr } = await fnrun(vm, command, options);
  if (code !== 0) throw new Error(`setup ended with ${code}:\n${stdout}${stderr}\n${await consoleOf(vm)}`);
  return JSON.parse(stdout) as SetupReport;
}

/** A machine that setup has made from a bare one: once a run, and kept as it was then. */
export async function provisioned(): Promise<Vm> {
  const disk = join(inject('vpsFolder'), `set-up-${system.name}.qcow2`);
  const mark = join(inject('vpsFolder'), `set-up-${system.name}.run`);
  const madeBy = await readFile(mark, 'utf8').catch(() => null);
  if (madeBy !== inject('vpsRun')) {
    // A folder that is kept has the machine of an earlier run.
    const earlier = existsSync(disk);
    await using vm = await (earlier ? boot({ from: disk }) : boot());
    if (!earlier) await vm.growDisk(20);
    const { steps, ms } = await setUp(vm);
    const slowest = steps.map(({ id, ms = 0 }) => `${id} ${Math.round(ms / 1000)} s`).join(', ');
    console.log(`A ${earlier ? 'used' : 'bare'} machine was set up in ${Math.round(ms / 1000)} s: ${slowest}`);
    await vm.snapshot(disk);
    await writeFile(mark, inject('vpsRun'));
  }
  return await boot({ from: disk });
}

async function consoleOf(vm: Vm): Promise<string> {
  return (await readFile(join(vm.folder, 'console.log'), 'utf8')).slice(-2000);
}
