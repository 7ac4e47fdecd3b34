import type { ChildProcess } from 'node:child_process';
import type { AppLimits } from '../../runtime/contract/app-limits.ts';
import { appLimits, buildLimits } from '../../runtime/contract/limits.ts';
import type { Cgroups, HostCgroup } from '../../runtime/supervisor/cgroup.ts';
import { killRest } from '../../runtime/supervisor/process-tree.ts';
import { ProcessWatch } from '../../runtime/supervisor/process-watch.ts';
import type { ProcessUse } from '../../runtime/supervisor/process-watch.ts';

/** What a process of a build may use, with all that it starts. */
export interface BuildCaps {
  memoryMb: number;
  processes: number;
}

/** The cgroup for a process of a build; null where there are none. */
export function cgroupFor(
  name: string,
  { cgroups, caps }: { cgroups: Cgroups | null; caps: BuildCaps },
): HostCgroup | null {
  const limits: AppLimits = {
    ...caps,
    cpus: null,
    openFiles: buildLimits.openFiles,
    threads: buildLimits.threads,
    logLinesPerSecond: appLimits.logLinesPerSecond,
    idleStopMs: 0,
  };
  return cgroups?.create(`${name}.build`, limits) ?? null;
}

/** Watches a process that leads a group and all that comes from it, and leaves nothing of it behind. */
export class Guard {
  readonly #child: ChildProcess;
  readonly #cgroup: HostCgroup | null;
  readonly #caps: BuildCaps;
  #watch: ProcessWatch | null = null;
  /** Why it was killed; null as long as it was not. */
  reason: string | null = null;

  constructor(child: ChildProcess, { cgroup, caps }: { cgroup: HostCgroup | null; caps: BuildCaps }) {
    this.#child = child;
    this.#cgroup = cgroup;
    this.#caps = caps;
  }

  /** Looks several times a second, until `pause`: while there is work. */
  watch(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    this.#watch ??= new ProcessWatch({
      pid,
      judge: (use) => this.#judge(use),
      children: true,
      onExceeded: (reason) => this.kill(reason),
    });
  }

  pause(): void {
    this.#watch?.stop();
    this.#watch = null;
  }

  /** Kills all of it. */
  kill(reason: string | null): void {
    this.reason ??= reason;
    this.#cgroup?.kill();
    const { pid } = this.#child;
    if (pid === undefined) return;
    // Found before the first of them is gone: what has left the group is known by its parent only.
    const descendants = this.#watch?.descendants() ?? [];
    for (const one of [-pid, ...descendants]) killOne(one);
  }

  /** After the process has ended: kills what it has left behind, where no jail has done that. */
  async clear(): Promise<void> {
    const { pid } = this.#child;
    const watch = this.#watch;
    if (pid !== undefined) await killRest({ pid, descendants: () => watch?.descendants() ?? [] });
    this.pause();
    this.#cgroup?.kill();
    await this.#cgroup?.remove();
  }

  /** Why it ended, where that was for a limit. */
  get exceeded(): string | null {
    if (this.reason !== null) return this.reason;
    return this.#cgroup?.outOfMemory === true ? this.#memoryReason() : null;
  }

  #judge(use: ProcessUse): string | null {
    const { memoryMb, processes } = this.#caps;
    if (use.memoryBytes > memoryMb * 2 ** 20) return this.#memoryReason();
    if (use.processes > processes) return `it had more than ${processes} processes (builds.processes)`;
    return null;
  }

  #memoryReason(): string {
    return `it used more than ${this.#caps.memoryMb} MB of memory (builds.memoryMb)`;
  }
}

function killOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}
