/** Why a thread was ended that had nothing left to do. */
export const endReasons = { drained: 'drained', hostStops: 'the host stops' } as const;

/** Whether nobody has to be told that a thread ended for `reason`. */
export function isIntended(reason: string): boolean {
  return reason === endReasons.drained || reason === endReasons.hostStops;
}
