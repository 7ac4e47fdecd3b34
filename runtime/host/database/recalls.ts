/** Somebody who may hold permits: one worker, for one database. */
export interface PermitHolder {
  /** Permits it was given since it came, and those that it is asked to give back. */
  readonly granted: number;
  readonly recall: number;
  readonly held: number;
}

/** The same, as the broker keeps it. */
export interface Holder extends PermitHolder {
  granted: number;
  recall: number;
  held: number;
  want: number;
  returned: number;
  /** Its turn among those who were given permits: the one with the lowest was given its last one first. */
  turn: number;
}

/** What decides about recalls beside who holds what. */
export interface RecallSituation {
  /** Those who want more. */
  queue: readonly Holder[];
  /** Permits that are out and should not be: the limit was lowered. */
  excess: number;
  /** How many more are asked for than are needed: some of those who were asked may be busy for long. */
  urgency: number;
}

/**
 * Whom to ask for how many permits. Whoever wants some and has none gets one, from those who have had theirs longest;
 * beyond that only from those who have at least two more: so two that both have use for many settle at equal parts, instead
 * of passing connections to and fro, which costs more than waiting.
 */
export function planRecalls(holders: Iterable<Holder>, situation: RecallSituation): Map<Holder, number> {
  const { queue, excess, urgency } = situation;
  const plan = new Map<Holder, number>();
  // Who has most comes first; of equals, whoever was given theirs longest ago.
  const givers = [...holders].filter(({ held }) => held > 0).toSorted((a, b) => b.held - a.held || a.turn - b.turn);
  if (givers.length === 0) return plan;
  const left = (giver: Holder): number => giver.held - (plan.get(giver) ?? 0);
  let at = 0;
  /** Takes one from the next in the round that `may` give. */
  const take = (may: (giver: Holder) => boolean): boolean => {
    for (let tries = 0; tries < givers.length; tries++) {
      const giver = givers[at % givers.length]!;
      at++;
      if (left(giver) === 0 || !may(giver)) continue;
      plan.set(giver, (plan.get(giver) ?? 0) + 1);
      return true;
    }
    return false;
  };
  for (let i = 0; i < excess; i++) take(() => true);
  let poorest = Infinity;
  for (const holder of queue) {
    let has = holder.held;
    poorest = Math.min(poorest, has);
    for (let wanted = holder.want; wanted > 0; wanted--, has++) {
      const enough = enoughFor(has);
      if (!take((giver) => giver !== holder && left(giver) >= enough)) break;
    }
  }
  if (plan.size > 0 && excess === 0) {
    for (let i = 0; i < urgency; i++) if (!take((giver) => left(giver) >= enoughFor(poorest))) break;
  }
  return plan;
}

/** What somebody must have to give one to somebody who has `has`. */
function enoughFor(has: number): number {
  return has === 0 ? 1 : has + 2;
}
