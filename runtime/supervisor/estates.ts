import type { OpenConnections } from '../contract/ipc.ts';
import { databaseLimits } from '../contract/limits.ts';

interface Estate extends OpenConnections {
  since: number;
}

/**
 * Database connections of processes that have ended, by database. The server counts one until it has noticed, or until its
 * statement is over: so they count until another process of the app inherits them, which has the server end them; or
 * until `closeMs` after the end.
 */
export class Estates {
  readonly #estates = new Map<string, Estate[]>();

  /** How many there may be of a database. */
  count(name: string): number {
    return (this.#estates.get(name) ?? []).reduce((sum, { permits }) => sum + permits, 0);
  }

  /** `onExpired` is called when they count no more, unless somebody has inherited them all. */
  add(open: Record<string, OpenConnections>, { onExpired }: { onExpired: () => void }): void {
    for (const [name, { permits, ids }] of Object.entries(open)) {
      if (permits === 0) continue;
      const estate: Estate = { permits, ids: ids.slice(0, permits), since: performance.now() };
      this.#of(name).push(estate);
      setTimeout(() => {
        const others = this.#of(name).filter((each) => each !== estate);
        if (others.length === this.#of(name).length) return;
        this.#estates.set(name, others);
        onExpired();
      }, databaseLimits.closeMs).unref();
    }
  }

  /** Takes up to `count` out, those that ended first before others. */
  take(name: string, count: number): OpenConnections {
    const taken: OpenConnections = { permits: 0, ids: [] };
    const estates = this.#of(name);
    while (estates.length > 0 && taken.permits < count) {
      const [first] = estates;
      const permits = Math.min(first!.permits, count - taken.permits);
      taken.permits += permits;
      taken.ids.push(...first!.ids.splice(0, permits));
      first!.permits -= permits;
      if (first!.permits === 0) estates.shift();
    }
    return taken;
  }

  #of(name: string): Estate[] {
    let estates = this.#estates.get(name);
    if (estates === undefined) this.#estates.set(name, (estates = []));
    return estates;
  }
}
