import { domainLimits } from '../../../runtime/contract/limits.ts';

/**
 * Previews come and go, each with a name of its own, and the CA counts all names of a domain: so that they leave some for
 * apps, only so many of them get a certificate in a week.
 */
export class PreviewQuota {
  readonly #perWeek: number;
  readonly #now: () => number;
  /** When previews got theirs, oldest first, ms since the epoch. */
  #issued: number[];

  constructor(text: string | null, { perWeek, now }: { perWeek: number; now: () => number }) {
    this.#perWeek = perWeek;
    this.#now = now;
    this.#issued = parseTimes(text);
  }

  /** When the next one may be had, ms since the epoch; null: now. */
  get nextAtMs(): number | null {
    this.#issued = this.#issued.filter((at) => at > this.#now() - domainLimits.previewQuotaMs);
    const oldest = this.#issued.at(-this.#perWeek);
    return oldest === undefined ? null : oldest + domainLimits.previewQuotaMs;
  }

  issued(): void {
    this.#issued.push(this.#now());
  }

  /** For the next run. */
  toText(): string {
    return `${JSON.stringify(this.#issued)}\n`;
  }
}

/** What cannot be read is forgotten. */
function parseTimes(text: string | null): number[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.filter((at): at is number => typeof at === 'number') : [];
  } catch {
    return [];
  }
}
