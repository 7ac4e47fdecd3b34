import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { constants, copyFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findImage, type Image, type Kind } from './image.ts';
import { isAlive, quote, runProgram, type Ran, type RunOptions } from './programs.ts';
import { freePort, startQemu, type Ports } from './qemu.ts';
import { qmp } from './qmp.ts';
import { bootId, ended, sshAnswers, writeSshConfig } from './reach.ts';

/** A Debian machine under qemu, reached as root over ssh. */
export interface Vm extends AsyncDisposable {
  /** Where its disk.qcow2, console.log, qemu.log and ssh_config are. */
  readonly folder: string;
  readonly ports: Ports;
  /** For `ssh -F`: it knows the host `vm` (root by default). */
  readonly sshConfig: string;
  /** Runs a program as root, whatever its exit code (255: ssh itself failed); no shell reads its arguments. */
  run(argv: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Runs a script of `sh -eu` as root and resolves to what it printed. Rejects when it fails. */
  sh(script: string, options?: RunOptions): Promise<string>;
  /** Copies what is in a folder of this machine into one of the guest's, which is made. */
  copyTo(from: string, to: string): Promise<void>;
  /** `systemctl reboot`; resolves when ssh answers in the new boot. */
  reboot(): Promise<void>;
  /** The reset button: nothing is written back. Resolves when ssh answers again. */
  reset(): Promise<void>;
  /** Shuts it down in order; what is on its disk stays in `folder`. */
  powerOff(): Promise<void>;
  /** Keeps it in the file `to`, running as it is, for `boot({ from })`; and ends it. */
  snapshot(to: string): Promise<void>;
  /** Makes its disk, and the file system on it, larger: 8 GB are less than any VPS has. */
  growDisk(gb: number): Promise<void>;
  /** Leads one more port of this machine's loopback to the guest's `port`. */
  forward(port: number): Promise<number>;
  /** Ends it at once and removes `folder`. Idempotent. */
  remove(): Promise<void>;
}

export interface BootOptions {
  /** @default bare */
  kind?: Kind;
  /** What `snapshot` kept, instead of a kind; memory and cores are as they were. */
  from?: string;
  /** @default 2048 */
  memoryMb?: number;
  /** @default 2 */
  cores?: number;
  /** Whether it outlives this process. @default false */
  detached?: boolean;
}

/** What a machine was started with. */
interface Size {
  memoryMb: number;
  cores: number;
}

interface Running extends Size {
  pid: number;
  ports: Ports;
}

/** The name of the state in a disk that was kept. */
const state = 'kept';
const downMs = 180_000;
const execute = promisify(execFile);

/**
 * Starts a machine and resolves when it takes ssh. The image stays as it is: what the guest writes is in `folder`.
 * One is booted once for each kind and kept as it was then, memory and all; others go on from there, in seconds. So a
 * test of a boot calls `reboot` or `reset`.
 */
export async function boot(options: BootOptions = {}): Promise<Vm> {
  const { kind = 'bare', memoryMb = 2048, cores = 2, detached = false } = options;
  const image = await findImage();
  if (options.from !== undefined) return await resume(options.from, { image, detached });
  const kept = join(dirname(image.kernel), `${kind}-${memoryMb}-${cores}-${await qemuVersion()}.qcow2`);
  if (!existsSync(kept)) {
    await using vm = await start({ image, memoryMb, cores, detached: false }, async (disk) => {
      await execute('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', image.disks[kind], '-F', 'raw', disk]);
    });
    await vm.snapshot(kept);
  }
  return await resume(kept, { image, detached });
}

/** A machine as `snapshot` kept it. */
async function resume(from: string, { image, detached }: { image: Image; detached: boolean }): Promise<Vm> {
  const { memoryMb, cores } = JSON.parse(await readFile(`${from}.json`, 'utf8')) as Size;
  return await start({ image, memoryMb, cores, detached, state }, (disk) =>
    copyFile(from, disk, constants.COPYFILE_FICLONE),
  );
}

async function start(
  options: Size & { image: Image; detached: boolean; state?: string },
  makeDisk: (disk: string) => Promise<void>,
): Promise<Vm> {
  const { image, memoryMb, cores } = options;
  const folder = await mkdtemp(join(tmpdir(), 'fnrun-vm-'));
  await makeDisk(join(folder, 'disk.qcow2'));
  const running = { ...(await startQemu({ ...options, folder })), memoryMb, cores };
  await writeFile(join(folder, 'vm.json'), JSON.stringify(running));
  await writeSshConfig(join(folder, 'ssh_config'), { folder, port: running.ports.ssh, key: image.key });
  const vm = attach(folder, running);
  try {
    await sshAnswers(vm, null);
    return vm;
  } catch (error) {
    const said = await readFile(join(folder, 'console.log'), 'utf8').catch(() => '');
    await qmp(join(folder, 'qmp'), 'quit').catch(() => undefined);
    throw new Error(`The machine did not come up (kept: ${folder}):\n${said.slice(-3000)}`, { cause: error });
  }
}

/** Another qemu may not read what this one kept. */
async function qemuVersion(): Promise<string> {
  const { stdout } = await execute('qemu-system-x86_64', ['--version']);
  return createHash('sha256').update(stdout).digest('hex').slice(0, 8);
}

/** A machine that another process booted with `detached`. */
export async function openVm(folder: string): Promise<Vm> {
  return attach(folder, JSON.parse(await readFile(join(folder, 'vm.json'), 'utf8')) as Running);
}

function attach(folder: string, { pid, ports, memoryMb, cores }: Running): Vm {
  const config = join(folder, 'ssh_config');
  const control = join(folder, 'qmp');
  const run = (argv: readonly string[], options?: RunOptions): Promise<Ran> =>
    runProgram(['ssh', '-F', config, 'vm', '--', argv.map(quote).join(' ')], options);
  // The shared connection does not notice by itself that the other end was reset.
  const forget = (): Promise<unknown> => runProgram(['ssh', '-F', config, '-O', 'exit', 'vm']);
  const monitor = async (line: string): Promise<void> => {
    const said = String(await qmp(control, 'human-monitor-command', { 'command-line': line }));
    if (said !== '') throw new Error(`qemu: ${line}: ${said}`);
  };
  const again = async (act: () => Promise<unknown>): Promise<void> => {
    const before = await bootId(vm);
    await act();
    await forget();
    await sshAnswers(vm, before);
  };
  const remove = async (): Promise<void> => {
    await forget();
    if (isAlive(pid)) await qmp(control, 'quit').catch(() => undefined);
    await ended(pid, downMs);
    await rm(folder, { recursive: true, force: true });
  };
  const powerOff = async (): Promise<void> => {
    if (!isAlive(pid)) return;
    await run(['systemctl', 'poweroff']);
    await forget();
    await ended(pid, downMs);
  };
  const vm: Vm = {
    folder,
    ports,
    sshConfig: config,
    run,
    sh: async (script, options) => {
      const { code, stdout, stderr } = await run(['sh', '-euc', script], options);
      if (code !== 0) throw new Error(`ended with ${code}: ${script}\n${stderr}${stdout}`);
      return stdout;
    },
    copyTo: async (from, to) => {
      const there = `mkdir -p ${quote(to)} && tar -C ${quote(to)} --no-same-owner -xf -`;
      await execute('sh', ['-euc', 'tar -C "$1" -cf - . | ssh -F "$2" vm "$3"', 'sh', from, config, there]);
    },
    // A second later, so that it is known whether it was asked for.
    reboot: () => again(() => vm.sh('systemd-run --quiet --on-active=1 systemctl reboot')),
    reset: () => again(() => qmp(control, 'system_reset')),
    powerOff,
    snapshot: async (to) => {
      await run(['sync']);
      await forget();
      await monitor(`savevm ${state}`);
      await qmp(control, 'quit');
      await ended(pid, downMs);
      await writeFile(`${to}.json`, JSON.stringify({ memoryMb, cores }));
      await copyFile(join(folder, 'disk.qcow2'), `${to}.new`, constants.COPYFILE_FICLONE);
      await rename(`${to}.new`, to);
    },
    growDisk: async (gb) => {
      await monitor(`block_resize virtio0 ${gb}G`);
      await vm.sh('resize2fs -f /dev/vda 2>&1');
    },
    forward: async (port) => {
      const from = await freePort();
      await monitor(`hostfwd_add n0 tcp:127.0.0.1:${from}-:${port}`);
      return from;
    },
    remove,
    [Symbol.asyncDispose]: remove,
  };
  return vm;
}
