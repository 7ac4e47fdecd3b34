/** Resolves when `ending` does, at the latest after `limitMs`. */
export async function within(limitMs: number, ending: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, limitMs);
  await Promise.race([ending, late.promise]);
  clearTimeout(timer);
}
