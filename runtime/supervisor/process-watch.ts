import { tasksOf } from '../contract/app-limits.ts';
import type { AppLimits } from '../contract/app-limits.ts';
import { appLimits } from '../contract/limits.ts';
import { readFigures } from './process-figures.ts';
import { descendantsOf, readProcesses, recentProcesses } from './process-table.ts';
import type { ProcessIds, ProcessTable } from './process-table.ts';

/** What a watch looks at. */
export interface ProcessWatchOptions {
  pid: number;
  /** Says what is too much, as a reason; null when nothing is. */
  judge: (use: ProcessUse) => string | null;
  /** Whether the process may have children. Those that it has without a permission are looked for less often. */
  children: boolean;
  /** Called once, with the reason: the process has more than it may. */
  onExceeded: (reason: string) => void;
}

/** What a process and its descendants use at the moment. */
export interface ProcessUse {
  memoryBytes: number;
  /** Child processes. */
  processes: number;
  /** Kernel threads, those of the children included. */
  tasks: number;
}

/**
 * Looks from outside at what an app host uses, and says when it is too much: the host itself may be wedged.
 * It acts between two looks at the earliest: what is used up faster than that is for a cgroup to stop.
 */
export class ProcessWatch {
  readonly #options: ProcessWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #children: ProcessIds = new Map();
  #lookedAt = -Infinity;
  /** When the look that `#children` is from began. */
  #childrenAt = -Infinity;
  #stopped = false;

  constructor(options: ProcessWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#look(), appLimits.watchMs);
    this.#timer.unref();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /** Null when the process is gone, or where there is no /proc. */
  use(): ProcessUse | null {
    const own = readFigures(this.#options.pid);
    if (own === null) return null;
    const others = [...this.#children.keys()].map(readFigures).filter((figures) => figures !== null);
    return {
      memoryBytes: others.reduce((sum, { rssBytes }) => sum + rssBytes, own.rssBytes),
      processes: others.length,
      tasks: others.reduce((sum, { threads }) => sum + threads, own.threads),
    };
  }

  /** Ids of every process that came from this one and is there now. */
  descendants(): number[] {
    this.#learn(readProcesses());
    return [...this.#children.keys()];
  }

  /** An older look than the last one knows less: a child missing in it may have been started since, and have lost its parent. */
  #learn(table: ProcessTable): void {
    if (table.at < this.#childrenAt) return;
    this.#childrenAt = table.at;
    this.#children = descendantsOf(this.#options.pid, { table, known: this.#children });
  }

  async #look(): Promise<void> {
    const { children, judge, onExceeded } = this.#options;
    const now = performance.now();
    const everyMs = children ? appLimits.watchMs : appLimits.watchChildrenMs;
    // Timers are early by a fraction of a millisecond at times.
    if (now - this.#lookedAt >= everyMs - 1) {
      this.#lookedAt = now;
      this.#learn(await recentProcesses({ maxAgeMs: everyMs / 2 }));
    }
    const use = this.use();
    const reason = use === null ? null : judge(use);
    if (reason === null || this.#stopped) return;
    this.stop();
    onExceeded(reason);
  }
}

/** What is over its limit, as a reason; null when nothing is. */
export function exceeded(use: ProcessUse, limits: AppLimits): string | null {
  const { memoryMb, processes } = limits;
  if (use.memoryBytes > memoryMb * 2 ** 20) return `it reached its memory limit (limits.memoryMb = ${memoryMb})`;
  if (use.processes > processes) return `it has more child processes than limits.processes = ${processes}`;
  const tasks = tasksOf(limits);
  if (use.tasks > tasks)
    return `it has more than ${tasks} threads and processes, which follows from limits.threads and limits.processes`;
  return null;
}
