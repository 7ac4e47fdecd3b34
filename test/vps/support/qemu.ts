import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Image } from './image.ts';
import { qmp } from './qmp.ts';

/** Ports of this machine's loopback that lead to a guest's 22, 80 and 443. */
export interface Ports {
  ssh: number;
  http: number;
  https: number;
}

/** A qemu that runs. */
export interface Qemu {
  pid: number;
  ports: Ports;
}

/** How many guests a machine has at once: more make none of them faster. */
const slots = 2;
const slotMs = 60 * 60_000;
const startMs = 60_000;
const taken = 75;
const portsTried = 5;

/**
 * Starts a guest in `folder` (its disk.qcow2 is there) and resolves when qemu answers. Waits for one of the two
 * slots, which qemu holds as a lock for as long as it lives. Unless `detached`, it ends with this process.
 */
export async function startQemu(options: {
  folder: string;
  image: Image;
  memoryMb: number;
  cores: number;
  detached: boolean;
  /** It goes on from this state in its disk, instead of booting. */
  state?: string;
}): Promise<Qemu> {
  const end = performance.now() + slotMs;
  let told = false;
  for (let attempt = 0; ;) {
    for (let slot = 1; slot <= slots; slot++) {
      const ports = await freePorts();
      const outcome = await tryStart({ ...options, ports, lock: join(tmpdir(), `fnrun-vm-${slot}.lock`) });
      if (typeof outcome === 'number') return { pid: outcome, ports };
      if (outcome === 'taken') continue;
      if (++attempt >= portsTried || !/forwarding/.test(outcome)) throw new Error(`qemu did not start:\n${outcome}`);
    }
    if (performance.now() > end) throw new Error(`No slot for a guest became free within ${slotMs / 60_000} minutes`);
    if (!told) console.log('Waiting for one of the two slots for guests');
    told = true;
    await delay(1000);
  }
}

/** The pid; `taken` when another guest has the slot; else qemu's words. */
async function tryStart(
  options: Parameters<typeof startQemu>[0] & { ports: Ports; lock: string },
): Promise<number | string> {
  const { folder, detached, lock } = options;
  const log = join(folder, 'qemu.log');
  const output = openSync(log, 'w');
  const child = spawn(
    'setpriv',
    [...(detached ? [] : ['--pdeathsig', 'KILL']), 'flock', '-n', '-F', '-E', `${taken}`, lock, ...command(options)],
    { stdio: ['ignore', output, output], detached },
  );
  closeSync(output);
  const exited = new Promise<number>((resolve) => {
    child.once('exit', (code) => resolve(code ?? 1));
    child.once('error', () => resolve(1));
  });
  if (await answers(child, join(folder, 'qmp'))) {
    if (detached) child.unref();
    return child.pid ?? 0;
  }
  child.kill('SIGKILL');
  return (await exited) === taken ? 'taken' : await readFile(log, 'utf8');
}

async function answers(child: ChildProcess, socket: string): Promise<boolean> {
  const end = performance.now() + startMs;
  while (child.exitCode === null && child.signalCode === null && performance.now() < end) {
    if (existsSync(socket) && (await qmp(socket, 'query-status').catch(() => null)) !== null) return true;
    await delay(50);
  }
  return false;
}

function command(options: Parameters<typeof startQemu>[0] & { ports: Ports }): string[] {
  const { folder, image, memoryMb, cores, ports, state } = options;
  const forwards = [
    [ports.ssh, 22],
    [ports.http, 80],
    [ports.https, 443],
  ].map(([from, to]) => `hostfwd=tcp:127.0.0.1:${from}-:${to}`);
  // Emulated, also where there is /dev/kvm: on some machines guests hang under it.
  const given: [option: string, value: string][] = [
    ['accel', 'tcg,thread=multi'],
    ['cpu', 'max'],
    ['smp', `${cores}`],
    ['m', `${memoryMb}`],
    ['kernel', image.kernel],
    ['initrd', image.initrd],
    ['append', 'root=/dev/vda ro net.ifnames=0 console=ttyS0 mitigations=off nowatchdog'],
    ['drive', `file=${join(folder, 'disk.qcow2')},format=qcow2,if=virtio,discard=unmap,cache=unsafe`],
    ['netdev', ['user,id=n0', ...forwards].join(',')],
    ['device', 'virtio-net-pci,netdev=n0'],
    ['device', 'virtio-rng-pci'],
    ['display', 'none'],
    ['monitor', 'none'],
    ['serial', `file:${join(folder, 'console.log')}`],
    ['qmp', `unix:${join(folder, 'qmp')},server=on,wait=off`],
  ];
  if (state !== undefined) given.push(['loadvm', state]);
  return ['qemu-system-x86_64', ...given.flatMap(([option, value]) => [`-${option}`, value])];
}

async function freePorts(): Promise<Ports> {
  const [ssh, http, https] = await Promise.all([freePort(), freePort(), freePort()]);
  return { ssh, http, https };
}

/** A port of loopback on which nobody listens now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
