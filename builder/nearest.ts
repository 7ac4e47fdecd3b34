import { closest, distance } from 'fastest-levenshtein';

/** The candidate that `word` most likely meant, or null when none is near. Case counts least. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  if (candidates.length === 0) return null;
  const lower = word.toLowerCase();
  const sameButCase = candidates.find((candidate) => candidate.toLowerCase() === lower);
  if (sameButCase !== undefined) return sameButCase;
  const found = closest(
    lower,
    candidates.map((candidate) => candidate.toLowerCase()),
  );
  const longest = Math.max(word.length, found.length);
  // A transposition counts two.
  const most = longest <= 3 ? 1 : Math.max(2, Math.floor(longest / 3));
  if (distance(lower, found) > most) return null;
  return candidates.find((candidate) => candidate.toLowerCase() === found) ?? null;
}
