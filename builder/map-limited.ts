/** `items` mapped by `work`, at most `limit` at once; results in the order of the items. */
export async function mapLimited<T, R>(
  items: readonly T[],
  { limit, work }: { limit: number; work: (item: T) => Promise<R> },
): Promise<R[]> {
  const results = Array.from<R>({ length: items.length });
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    // One iterator for all lanes: each takes the next item when it is free.
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return results;
}
