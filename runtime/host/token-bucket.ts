/** Lets so many through a second over the long run, and `burstSeconds`' worth of them at once. */
export class TokenBucket {
  perSecond: number;
  readonly #burstSeconds: number;
  #tokens: number;
  #at: number | null = null;

  constructor(perSecond: number, { burstSeconds }: { burstSeconds: number }) {
    this.perSecond = perSecond;
    this.#burstSeconds = burstSeconds;
    this.#tokens = perSecond * burstSeconds;
  }

  /** Whether one more may pass now. `nowMs`: of a clock that never goes back. */
  take(nowMs: number): boolean {
    const passedMs = this.#at === null ? 0 : nowMs - this.#at;
    this.#at = nowMs;
    const most = this.perSecond * this.#burstSeconds;
    this.#tokens = Math.min(most, this.#tokens + (passedMs / 1000) * this.perSecond);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
