import type { AccountEvent } from '../../router/control/types.ts';
import { deployLimits } from '../../runtime/contract/limits.ts';

/**
 * What one deployment tells: written line by line by whoever does the work, followed by
 * anybody at any time. Writing never waits for a reader, so a pusher who is gone or slow
 * holds nothing up.
 */
export class Account {
  readonly color: boolean;
  readonly #redact: (text: string) => string;
  readonly #events: AccountEvent[] = [];
  #wake = Promise.withResolvers<void>();
  readonly #readers: ((line: string) => void)[] = [];
  #ended = false;

  /** `redact` takes the secrets out of what is written. */
  constructor({ color = false, redact = same }: { color?: boolean; redact?: (text: string) => string } = {}) {
    this.color = color;
    this.#redact = redact;
  }

  /** Adds `text`, which may have several lines. Ignored after `end`. */
  write(text: string): void {
    for (const line of this.#redact(text).split('\n')) this.#push({ type: 'line', text: cut(line) });
  }

  /** Adds what a tool says while it works: a part of the lines only, so that the verdict always has room. */
  note(text: string): void {
    if (this.#events.length < deployLimits.accountNotes) this.write(text);
  }

  /** Hands each line to `take` at once, beginning with those that there are. */
  pipe(take: (line: string) => void): void {
    for (const event of this.#events) if (event.type === 'line') take(event.text);
    this.#readers.push(take);
  }

  /** Ends the account; the first call counts. */
  end(ok: boolean): void {
    this.#push({ type: 'end', ok });
    this.#ended = true;
  }

  /** Every event from the first on, until the end or until `signal` aborts. */
  async *follow(signal: AbortSignal): AsyncGenerator<AccountEvent, void> {
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => aborted.resolve(), { once: true });
    for (let next = 0; !signal.aborted;) {
      const event = this.#events[next];
      if (event === undefined) {
        await Promise.race([this.#wake.promise, aborted.promise]);
        continue;
      }
      next += 1;
      yield event;
      if (event.type === 'end') return;
    }
  }

  #push(event: AccountEvent): void {
    if (this.#ended || (event.type === 'line' && this.#events.length >= deployLimits.accountLines)) return;
    this.#events.push(event);
    if (event.type === 'line') for (const take of this.#readers) take(event.text);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}

function same(text: string): string {
  return text;
}

function cut(line: string): string {
  return line.length <= deployLimits.accountLineChars ? line : `${line.slice(0, deployLimits.accountLineChars - 3)}...`;
}
