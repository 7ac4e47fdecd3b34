/**
 * The text of an authorized_keys with the keys in it: those that are missing are added at its end, every other line stays as it is.
 * A key that is there with options of its own (`from="…"`) is there.
 */
export function addKeys(text: string, keys: readonly string[]): string {
  const there = new Set(text.split('\n').map(keyOf));
  const missing = keys.map((key) => key.trim()).filter((key) => key !== '' && !there.has(keyOf(key)));
  if (missing.length === 0) return text;
  const begin = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return `${begin}${[...new Set(missing)].join('\n')}\n`;
}

/** What makes two lines the same key: the base64 of it, which begins with the length of its kind's name; null: no key. */
function keyOf(line: string): string | null {
  if (line.trimStart().startsWith('#')) return null;
  return /(?:^|\s)(?:ssh-|ecdsa-|sk-)\S+\s+(AAAA[\w+/]+=*)(?:\s|$)/.exec(line)?.[1] ?? null;
}
