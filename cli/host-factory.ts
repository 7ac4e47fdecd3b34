import { setTimeout as sleep } from 'node:timers/promises';
import { hostLimits } from '../runtime/contract/limits.ts';
import type { AppHost, AppHostOptions } from '../runtime/supervisor/app-host.ts';
import type { Cgroups } from '../runtime/supervisor/cgroup.ts';
import { ConnectionShares } from '../runtime/supervisor/connection-shares.ts';
import type { Portion } from '../runtime/supervisor/connection-shares.ts';
import { createAppHost } from '../runtime/supervisor/create-app-host.ts';
import type { AppPolicy } from '../runtime/supervisor/launch-plan.ts';
import { isRunning } from './is-running.ts';

/** What the operator lets apps and their previews have. */
export interface HostFactoryOptions {
  policy: AppPolicy;
  previews: AppPolicy;
  cgroups: Cgroups | null;
  portion: Portion;
}

/** What a server may have of the budgets of database connections; two of them halve each while one takes over, one at least. */
export const whole: Portion = (budget) => budget;
export const olderHalf: Portion = (budget) => Math.max(1, Math.floor(budget / 2));
export const youngerHalf: Portion = (budget) => Math.max(1, Math.ceil(budget / 2));

/** Makes app hosts; an app and its previews (`of` is the app) have one budget of database connections. */
export class HostFactory {
  readonly #options: HostFactoryOptions;
  readonly #shares = new Map<string, ConnectionShares>();
  #portion: Portion;

  constructor(options: HostFactoryOptions) {
    this.#options = options;
    this.#portion = options.portion;
  }

  create = (host: AppHostOptions, { preview: isPreview, of }: { preview: boolean; of: string }): AppHost => {
    const { policy, previews, cgroups } = this.#options;
    const connectionShares = this.#shares.get(of) ?? new ConnectionShares({ portion: this.#portion });
    this.#shares.set(of, connectionShares);
    return createAppHost({ ...host, policy: isPreview ? previews : policy, cgroups, connectionShares, isPreview });
  };

  /** Changes what this server may have of the budgets. Resolves when its apps have no more than that. */
  async share(portion: Portion): Promise<void> {
    this.#portion = portion;
    await Promise.all([...this.#shares.values()].map((shares) => shares.setPortion(portion)));
  }
}

/** Resolves when the process `pid` has ended, or `signal` is given. */
export async function whenGone(pid: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && isRunning(pid)) await sleep(hostLimits.goneLookMs, undefined, { ref: false });
}
