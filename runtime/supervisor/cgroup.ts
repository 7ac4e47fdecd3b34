import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { tasksOf } from '../contract/app-limits.ts';
import type { AppLimits } from '../contract/app-limits.ts';
import { appLimits, hostLimits } from '../contract/limits.ts';

/** The control group of one app host: the kernel holds everything in it to the app's limits. */
export interface HostCgroup {
  /** The file that a process writes its id to in order to join. */
  readonly procsFile: string;
  /** Sets the limits, also of a host that runs. */
  apply(limits: AppLimits): void;
  /** Kills everything in it. */
  kill(): void;
  /** Whether the kernel has killed a process in it for want of memory. */
  readonly outOfMemory: boolean;
  /** Removes it once it is empty; gives up after a while. */
  remove(): Promise<void>;
}

/** The control group that was delegated to the daemon. */
export interface Cgroups {
  readonly dir: string;
  /** Whether `limits.cpus` can be held. */
  readonly cpu: boolean;
  /** Makes a group for one host of `app`. Throws what the file system says. */
  create(app: string, limits: AppLimits): HostCgroup;
}

/** Where control groups are looked for; tests have others. */
export interface CgroupOptions {
  /** @default the daemon's own group, from /proc/self */
  own?: string;
  /** Controllers without which the groups are of no use. @default memory and pids */
  needed?: readonly string[];
}

/**
 * Takes over the daemon's own cgroup when it holds nothing but the daemon: systemd's `Delegate=yes`, or a
 * container. Anything else in it (a login session) is somebody else's to arrange. Otherwise says why not.
 */
export function openCgroups({ own = ownCgroup() ?? undefined, needed = ['memory', 'pids'] }: CgroupOptions = {}):
  | Cgroups
  | { why: string } {
  if (own === undefined) return { why: 'there is no cgroup v2' };
  // The root group, which has no type, is the machine's.
  if (!existsSync(join(own, 'cgroup.type'))) return { why: `${own} is the root of all cgroups` };
  try {
    const controllers = words(join(own, 'cgroup.controllers'));
    const missing = needed.filter((name) => !controllers.includes(name));
    if (missing.length > 0) return { why: `${own} has no ${missing.join(' and no ')} controller` };
    const inside = words(join(own, 'cgroup.procs')).map(Number);
    const strangers = inside.filter((pid) => pid !== process.pid && pid !== process.ppid);
    if (strangers.length > 0) return { why: `${own} holds other processes too, such as ${strangers[0]}` };
    return takeOver(own, {
      inside,
      enabled: ['memory', 'pids', 'cpu', 'io'].filter((name) => controllers.includes(name)),
    });
  } catch (error) {
    return { why: `${own} is not ours to use: ${(error as Error).message}` };
  }
}

/** A group with processes of its own cannot hand controllers to groups below it: the daemon moves into a leaf. */
function takeOver(own: string, { inside, enabled }: { inside: number[]; enabled: string[] }): Cgroups {
  const leaf = join(own, 'daemon');
  mkdirSync(leaf, { recursive: true });
  for (const pid of inside) writeFileSync(join(leaf, 'cgroup.procs'), String(pid));
  if (enabled.length > 0)
    writeFileSync(join(own, 'cgroup.subtree_control'), enabled.map((name) => `+${name}`).join(' '));
  // Left by a daemon that was killed: its hosts are dead, their groups empty.
  for (const name of readdirSync(own)) if (name.startsWith('app-')) removeEmpty(join(own, name));
  let serial = 0;
  return {
    dir: own,
    cpu: enabled.includes('cpu'),
    create: (app, limits) => hostCgroup(join(own, `app-${app}.${process.pid}-${++serial}`), limits),
  };
}

function hostCgroup(dir: string, limits: AppLimits): HostCgroup {
  mkdirSync(dir);
  const group: HostCgroup = {
    procsFile: join(dir, 'cgroup.procs'),
    apply: (next) => {
      for (const [name, value] of settingsOf(next)) {
        // Not every kernel has every file: swap accounting, say, may be off.
        if (existsSync(join(dir, name))) writeFileSync(join(dir, name), value);
      }
    },
    kill: () => {
      try {
        writeFileSync(join(dir, 'cgroup.kill'), '1');
      } catch {
        // Gone already, or a kernel before 5.14: the processes are killed one by one as well.
      }
    },
    get outOfMemory() {
      return oomKills(join(dir, 'memory.events')) > 0;
    },
    remove: async () => {
      for (let round = 0; round < hostLimits.removeRounds; round++) {
        if (removeEmpty(dir)) return;
        await delay(hostLimits.killRoundMs);
      }
    },
  };
  group.apply(limits);
  return group;
}

/** What is written where for these limits. */
export function settingsOf(limits: AppLimits): [file: string, value: string][] {
  const bytes = Math.floor(limits.memoryMb * 2 ** 20 * (1 + appLimits.memorySlackShare));
  const quota = limits.cpus === null ? 'max' : Math.round(limits.cpus * appLimits.cpuPeriodUs);
  return [
    ['memory.max', String(bytes)],
    ['memory.swap.max', '0'],
    // A host that lost a child, or a thread's memory, is no host any more.
    ['memory.oom.group', '1'],
    ['pids.max', String(tasksOf(limits))],
    ['cpu.max', `${quota} ${appLimits.cpuPeriodUs}`],
  ];
}

/** The group this process is in, as a path; null without cgroup v2. */
function ownCgroup(): string | null {
  try {
    const path = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
    // Fields of proc_pid_mountinfo(5): id, parent, device, root, mount point, … - type, source, options.
    const mount = /^\S+ \S+ \S+ (\S+) (\S+) .* - cgroup2 /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'));
    if (path === undefined || mount === null) return null;
    const below = relative(mount[1]!, path);
    return below.startsWith('..') ? null : join(mount[2]!, below);
  } catch {
    return null;
  }
}

function oomKills(file: string): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function removeEmpty(dir: string): boolean {
  try {
    rmdirSync(dir);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function words(file: string): string[] {
  return readFileSync(file, 'utf8').split(/\s+/).filter(Boolean);
}
