import { appLimits, workerLimits } from './limits.ts';

/** What one app may use at once: `limits` of its fnrun.json, with every default filled in. */
export interface AppLimits {
  /** Resident memory of the app's process with all its threads and child processes, in MB of 1024². */
  memoryMb: number;
  /** CPUs' worth of time; null: as many as there are. Needs a cgroup. */
  cpus: number | null;
  /** Child processes, for apps that may have any. */
  processes: number;
  openFiles: number;
  /** Worker threads, the warm reserve included. */
  threads: number;
  /** Log lines a second, over the long run; `appLimits.logBurstSeconds` of it may come at once. */
  logLinesPerSecond: number;
  /** Time without a connection after which the process ends until the next one; 0: never. */
  idleStopMs: number;
}

/** Limits as written: any subset. */
export type AppLimitsInput = { [Key in keyof AppLimits]?: NonNullable<AppLimits[Key]> };

/** What the operator of a server says about all its apps. */
export interface LimitsPolicy {
  /** For what an app does not ask for. */
  limits?: AppLimitsInput;
  /** No app gets more, whatever it asks for. */
  ceilings?: AppLimitsInput;
}

/** Range and unit of a limit. */
interface LimitRule {
  min: number;
  max: number;
  unit: string;
  /** Whether parts of one may be asked for. */
  fraction?: true;
}

/** The limits an app may ask for, and their bounds. */
export const appLimitRules: Readonly<Record<keyof AppLimits, LimitRule>> = {
  memoryMb: { min: appLimits.memoryMbMin, max: appLimits.memoryMbMax, unit: 'MB' },
  cpus: { min: appLimits.cpusMin, max: appLimits.cpusMax, unit: 'CPUs', fraction: true },
  processes: { min: 0, max: appLimits.processesMax, unit: 'processes' },
  openFiles: { min: appLimits.openFilesMin, max: appLimits.openFilesMax, unit: 'files' },
  threads: { min: appLimits.threadsMin, max: workerLimits.threadsMax, unit: 'threads' },
  logLinesPerSecond: { min: 1, max: appLimits.logLinesPerSecondMax, unit: 'lines' },
  idleStopMs: { min: 0, max: appLimits.idleStopMsMax, unit: 'ms, 0 for never' },
};

/** What an app gets: what it asks for, else the operator's default, else ours; never above the ceiling. */
export function resolveAppLimits(
  asked: AppLimitsInput,
  { policy = {}, machineMb }: { policy?: LimitsPolicy; machineMb: number },
): AppLimits {
  const { limits = {}, ceilings = {} } = policy;
  const own: AppLimits = {
    memoryMb: Math.max(appLimits.memoryMbDefaultMin, Math.floor(machineMb * appLimits.memoryShareOfMachine)),
    cpus: null,
    processes: appLimits.processes,
    openFiles: appLimits.openFiles,
    threads: workerLimits.threadsMax,
    logLinesPerSecond: appLimits.logLinesPerSecond,
    idleStopMs: appLimits.idleStopMs,
    ...limits,
    ...asked,
  };
  for (const key of Object.keys(ceilings) as (keyof AppLimits)[]) {
    const most = ceilings[key];
    if (most === undefined) continue;
    const value = own[key];
    // Null and "never" stand for more than any number.
    const unbounded = value === null || (key === 'idleStopMs' && value === 0);
    if (key === 'idleStopMs' && most === 0) continue;
    if (unbounded || value > most) own[key] = most;
  }
  return own;
}

/** Kernel tasks (processes and threads) that an app with these limits may have. */
export function tasksOf({ threads, processes }: Pick<AppLimits, 'threads' | 'processes'>): number {
  return appLimits.tasksOfHost + threads * appLimits.tasksPerThread + processes * appLimits.tasksPerProcess;
}
