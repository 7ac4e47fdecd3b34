import { workerLimits } from '../contract/limits.ts';

/** What a sample looks at. */
export interface LoadSource {
  /** Time that the thread's event loop was at work, in ms since it started. */
  activeMs: number;
  inFlight: number;
  /** Invocations answered so far. */
  answered: number;
  /** Messages heard so far. */
  heard: number;
}

/** Weight of the newest sample in the pace. */
const newest = 0.3;

/** How busy one worker is, from one sample to the next. */
export class WorkerLoad {
  /** Share of time in which its event loop was at work. */
  busy = 0;
  /** `performance.now()` of its last message, and of its last answer. */
  heardAt = -Infinity;
  answeredAt = -Infinity;
  /** What an answer costs of its event loop's time, in ms; Infinity: not known yet. */
  answerMs = Infinity;
  /** Samples in a row in which it was busy. */
  busySamples = 0;
  /** Whether it has gone behind the main thread for the CPU. */
  isNice = false;
  #idleSamples = 0;
  /** Since when it has been silent at work; 0: it is not. */
  stalledSince = 0;
  #at = 0;
  #last: LoadSource = { activeMs: 0, inFlight: 0, answered: 0, heard: 0 };
  #answeredPerMs = 0;

  sample(now: number, source: LoadSource): void {
    const { busyShare, stalledShare, niceSamples } = workerLimits;
    const elapsed = now - this.#at;
    const before = this.#last;
    this.#last = source;
    this.#at = now;
    this.busy = Math.min(1, (source.activeMs - before.activeMs) / elapsed);
    const isBusy = this.busy >= busyShare;
    this.busySamples = isBusy ? this.busySamples + 1 : 0;
    this.#idleSamples = isBusy ? 0 : this.#idleSamples + 1;
    if (this.busySamples >= niceSamples) this.isNice = true;
    else if (this.#idleSamples >= niceSamples) this.isNice = false;
    const answered = source.answered - before.answered;
    // Few answers tell little, unless they are slow; none, that it is slower than that.
    const answerMs = (source.activeMs - before.activeMs) / Math.max(1, answered);
    if (answered >= workerLimits.answersMin || answerMs > this.answerMs) this.answerMs = answerMs;
    this.#answeredPerMs += newest * (answered / elapsed - this.#answeredPerMs);
    const stalled = this.busy >= stalledShare && before.inFlight > 0 && source.heard === before.heard;
    if (!stalled) this.stalledSince = 0;
    else if (this.stalledSince === 0) this.stalledSince = now;
  }

  /** Whether it computes and says nothing: what it is given now would wait for that. */
  isStalled(heard: number): boolean {
    return this.stalledSince > 0 && heard === this.#last.heard;
  }

  /** Invocations that a busy worker finishes in `busyHoldMs`: holding more would only make them wait there. */
  get room(): number {
    if (this.busy < workerLimits.busyShare) return Infinity;
    return Math.max(1, Math.ceil(this.#answeredPerMs * workerLimits.busyHoldMs));
  }
}
