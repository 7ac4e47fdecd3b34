import type { OpenConnections } from '../contract/ipc.ts';
import { databaseLimits, hostLimits } from '../contract/limits.ts';
import { Estates } from './estates.ts';

/** How many connections of an app's budget its processes may have here. */
export type Portion = (budget: number) => number;

/** A process that may open database connections. */
export interface ShareHolder {
  /** Connections that its release asks for, by database. */
  readonly budgets: Record<string, number>;
  /** Connections that it may have, or had when it ended, by database. */
  readonly open: Record<string, OpenConnections>;
  /** Resolves when the process has ended, and `open` is what it said last. */
  readonly ended: Promise<unknown>;
  /** It serves a preview: the app itself goes first. */
  readonly isPreview: boolean;
  /**
   * Tells it how many it may have, and which of them are of processes that have ended; resolves when it has no more.
   * Rejects when it does not say so in time.
   */
  limit(
    limits: Record<string, number>,
    options: { inherited: Record<string, OpenConnections>; deadlineMs: number },
  ): Promise<void>;
}

/**
 * Splits an app's budget of database connections among its processes and those of its previews: there are two and more
 * while one replaces another.
 * What one is to have beyond its part before is taken from another first, and given when that one has let go of it. The
 * connections of one that has ended are handed on with its part, because the server may still count them.
 */
export class ConnectionShares {
  /** What each may have now, oldest first. */
  readonly #given = new Map<ShareHolder, Record<string, number>>();
  readonly #estates = new Estates();
  #portion: Portion;
  #working: Promise<void> = Promise.resolve();

  /** `portion`: while another server has processes of the app, not all of the budget is this one's. @default all of it */
  constructor({ portion = (budget) => budget }: { portion?: Portion } = {}) {
    this.#portion = portion;
  }

  /** Resolves when no process has more than its part of that. */
  async setPortion(portion: Portion): Promise<void> {
    this.#portion = portion;
    this.refresh();
    await this.#working;
  }

  add(holder: ShareHolder): void {
    this.#given.set(holder, {});
    void holder.ended.then(() => {
      this.#given.delete(holder);
      this.#estates.add(holder.open, { onExpired: () => this.refresh() });
      this.refresh();
    });
    this.refresh();
  }

  /** Processes or budgets have changed. */
  refresh(): void {
    this.#working = this.#working.then(async () => {
      const names = new Set([...this.#given.keys()].flatMap(({ budgets }) => Object.keys(budgets)));
      const wanted = new Map<ShareHolder, Record<string, number>>(
        [...this.#given.keys()].map((holder) => [holder, {}]),
      );
      for (const name of names) {
        for (const [holder, count] of splitBudget(name, [...this.#given.keys()], this.#portion))
          wanted.get(holder)![name] = count;
      }
      const shrunk = await Promise.all([...wanted].map(([holder, limits]) => this.#shrink(holder, limits)));
      // Closed connections are counted for a moment more, and many are opened in their place at once.
      if (shrunk.includes(true)) await new Promise((resolve) => setTimeout(resolve, databaseLimits.settleMs));
      await Promise.all([...wanted].map(([holder, limits]) => this.#grow(holder, limits)));
    });
  }

  /** Resolves to whether the holder has let go of some. */
  async #shrink(holder: ShareHolder, wanted: Record<string, number>): Promise<boolean> {
    const given = this.#given.get(holder);
    if (given === undefined) return false;
    const less = Object.entries(given).filter(([name, count]) => (wanted[name] ?? 0) < count);
    if (less.length === 0) return false;
    const limits = { ...given, ...Object.fromEntries(less.map(([name]) => [name, wanted[name] ?? 0])) };
    if (!(await tell(holder, limits))) return false;
    this.#set(holder, limits);
    return true;
  }

  async #grow(holder: ShareHolder, wanted: Record<string, number>): Promise<void> {
    const given = this.#given.get(holder);
    if (given === undefined) return;
    const limits = { ...given };
    const inherited: Record<string, OpenConnections> = {};
    for (const [name, count] of Object.entries(wanted)) {
      const has = given[name] ?? 0;
      const more = Math.max(0, count - has);
      const free = Math.max(0, this.#portion(budgetOf(name, [...this.#given.keys()])) - this.#total(name));
      const estate = this.#estates.take(name, more - Math.min(free, more));
      if (estate.permits > 0) inherited[name] = estate;
      limits[name] = has + Math.min(free, more) + estate.permits;
    }
    // Counted before it is told: it may use them from that moment on.
    this.#set(holder, limits);
    const heard = await tell(holder, limits, inherited);
    // It may have ended before it heard of them. If it did hear, they count twice for a while.
    if (!heard) this.#estates.add(inherited, { onExpired: () => this.refresh() });
  }

  #set(holder: ShareHolder, limits: Record<string, number>): void {
    if (this.#given.has(holder)) this.#given.set(holder, limits);
  }

  #total(name: string): number {
    return [...this.#given.values()].reduce((sum, limits) => sum + (limits[name] ?? 0), this.#estates.count(name));
  }
}

/**
 * Each preview has a small part, all of them at most half; the app's own processes have equal parts of the rest, and
 * what is left over goes to those who came first.
 */
function splitBudget(name: string, holders: readonly ShareHolder[], portion: Portion): [ShareHolder, number][] {
  const asking = holders.filter(({ budgets }) => budgets[name] !== undefined);
  const budget = portion(budgetOf(name, asking));
  const previews = asking.filter(({ isPreview }) => isPreview);
  const own = asking.filter(({ isPreview }) => !isPreview);
  const half = own.length === 0 ? budget : Math.floor(budget / 2);
  const small =
    previews.length === 0 ? 0 : Math.min(databaseLimits.previewConnections, Math.floor(half / previews.length));
  const rest = budget - small * previews.length;
  const part = Math.floor(rest / own.length);
  return [
    ...own.map((holder, index): [ShareHolder, number] => [holder, part + (index < rest % own.length ? 1 : 0)]),
    ...previews.map((holder): [ShareHolder, number] => [holder, small]),
  ];
}

/** What the app itself asks for; where its releases disagree, the smaller budget holds. */
function budgetOf(name: string, holders: readonly ShareHolder[]): number {
  const asking = holders.filter(({ budgets }) => budgets[name] !== undefined);
  const own = asking.filter(({ isPreview }) => !isPreview);
  const asked = (own.length > 0 ? own : asking).map(({ budgets }) => budgets[name]!);
  return asked.length === 0 ? 0 : Math.min(...asked);
}

async function tell(
  holder: ShareHolder,
  limits: Record<string, number>,
  inherited: Record<string, OpenConnections> = {},
): Promise<boolean> {
  try {
    await holder.limit(limits, { inherited, deadlineMs: hostLimits.leaveMs });
    return true;
  } catch {
    // It still has what it had, or has ended.
    return false;
  }
}
