import type { Env } from '../../runtime/contract/env.ts';
import { logLimits } from '../../runtime/contract/limits.ts';
import { type Form, formsOf } from './forms.ts';

/** Replaces secrets in texts. */
export interface Redactor {
  /** `text` with `[redacted NAME]` in the place of every value, in whichever of its forms. */
  text(text: string): string;
}

interface Pattern extends Form {
  name: string;
}

/** A place in a text, and whose value is there. */
interface Found {
  start: number;
  end: number;
  name: string;
}

// What a worker's log puts at the end of a line that is too long; see worker/logs.ts.
const cutMark = /… \(cut: \d+ characters\)$/;
const base64Digit = /[A-Za-z0-9+/_-]/;
const blockChars = 3;

/** The redactor of the values of `envs`; null when none of them is to be kept out of logs. */
export function createRedactor(envs: Iterable<Env>): Redactor | null {
  const patterns = new Map<string, Pattern>();
  for (const env of envs) {
    for (const [name, value] of Object.entries(env)) {
      for (const form of formsOf(value)) if (!patterns.has(form.text)) patterns.set(form.text, { name, ...form });
    }
  }
  return patterns.size === 0 ? null : new Searcher([...patterns.values()]);
}

/**
 * Looks for all patterns at once (Wu and Manber, 1994): three characters tell how far ahead the next place is where a
 * pattern could begin, mostly four characters, however many patterns there are: 0.3 µs for 1,000 characters. One regular
 * expression of the forms of 20 variables took 19 µs, and may not be as long as some values are.
 */
class Searcher implements Redactor {
  readonly #patterns: readonly Pattern[];
  /** Characters that are looked at of each pattern: the length of the shortest. */
  readonly #window: number;
  readonly #mask: number;
  readonly #shifts: Uint8Array;
  readonly #buckets = new Map<number, Pattern[]>();

  constructor(patterns: readonly Pattern[]) {
    this.#patterns = patterns;
    this.#window = Math.min(64, ...patterns.map(({ text }) => text.length));
    const blocks = patterns.length * (this.#window - blockChars + 1);
    this.#mask = 2 ** Math.max(12, Math.ceil(Math.log2(blocks * 4))) - 1;
    this.#shifts = new Uint8Array(this.#mask + 1).fill(this.#window - blockChars + 1);
    for (const pattern of patterns) this.#add(pattern);
    for (const bucket of this.#buckets.values()) bucket.sort((a, b) => b.text.length - a.text.length);
  }

  text(text: string): string {
    let out = '';
    let copied = 0;
    let found: Found | null = null;
    const finish = (): void => {
      if (found === null) return;
      out += `${text.slice(copied, Math.max(copied, found.start))}[redacted ${found.name}]`;
      copied = found.end;
      found = null;
    };
    for (let at = this.#next(text, 0); at !== -1; at = this.#next(text, at + 1)) {
      const pattern = this.#match(text, at);
      if (pattern === undefined) continue;
      const { start, end } = extent(text, { at, pattern });
      // Two values may overlap: what is left of the second would be a piece of it.
      if (found !== null && start < found.end) found.end = Math.max(found.end, end);
      else {
        finish();
        found = { start, end, name: pattern.name };
      }
    }
    const cut = this.#cutValue(text);
    if (cut !== null) {
      if (found !== null && cut.start < found.end) found.end = cut.end;
      else {
        finish();
        found = cut;
      }
    }
    finish();
    return copied === 0 ? text : out + text.slice(copied);
  }

  #add(pattern: Pattern): void {
    const last = this.#window - 1;
    for (let end = blockChars - 1; end <= last; end += 1) {
      const hash = this.#hash(pattern.text, end);
      this.#shifts[hash] = Math.min(this.#shifts[hash] ?? 0, last - end);
    }
    const hash = this.#hash(pattern.text, last);
    const bucket = this.#buckets.get(hash);
    if (bucket === undefined) this.#buckets.set(hash, [pattern]);
    else bucket.push(pattern);
  }

  /** The beginning of a value that a line was cut within. */
  #cutValue(text: string): Found | null {
    const end = text.length <= logLimits.messageBytes ? -1 : text.search(cutMark);
    if (end === -1) return null;
    let longest: Found | null = null;
    for (const pattern of this.#patterns) {
      const start = end - overlap(text.slice(Math.max(0, end - pattern.text.length), end), pattern.text);
      if (end - start >= blockChars && start < (longest?.start ?? end)) longest = { start, end, name: pattern.name };
    }
    return longest;
  }

  /** Where, from `from` on, a pattern may begin; -1: nowhere. */
  #next(text: string, from: number): number {
    const { length } = text;
    for (let end = from + this.#window - 1; end < length;) {
      const shift = this.#shifts[this.#hash(text, end)] as number;
      if (shift === 0) return end - this.#window + 1;
      end += shift;
    }
    return -1;
  }

  #match(text: string, at: number): Pattern | undefined {
    const bucket = this.#buckets.get(this.#hash(text, at + this.#window - 1));
    return bucket?.find((pattern) => text.startsWith(pattern.text, at));
  }

  #hash(text: string, end: number): number {
    const code = text.charCodeAt(end) ^ (text.charCodeAt(end - 1) << 5) ^ (text.charCodeAt(end - 2) << 10);
    return (code ^ (code >>> 12)) & this.#mask;
  }
}

/** What of `text` goes: the pattern, and of base64 the digits beside it that hold the rest of the secret. */
function extent(text: string, { at, pattern }: { at: number; pattern: Pattern }): { start: number; end: number } {
  let start = at;
  let end = at + pattern.text.length;
  if (pattern.openStart && start > 0 && base64Digit.test(text[start - 1] as string)) start -= 1;
  if (pattern.openEnd && end < text.length && base64Digit.test(text[end] as string)) end += 1;
  return { start, end };
}

/** Length of the longest end of `text` that `pattern` begins with (Knuth, Morris and Pratt). */
function overlap(text: string, pattern: string): number {
  const borders = new Uint32Array(pattern.length);
  const advance = (length: number, char: string): number => {
    let at = length;
    while (at > 0 && (at === pattern.length || pattern[at] !== char)) at = borders[at - 1] as number;
    return pattern[at] === char ? at + 1 : at;
  };
  for (let at = 1; at < pattern.length; at += 1)
    borders[at] = advance(borders[at - 1] as number, pattern[at] as string);
  let length = 0;
  for (const char of text.split('')) length = advance(length, char);
  return length;
}
