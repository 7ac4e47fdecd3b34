import { hostLimits } from '../contract/limits.ts';
import type { HostPulse } from '../contract/ipc.ts';
import { watchLine, type WaitedMs } from './cpu-line.ts';
import type { HostProcess } from './host-process.ts';
import { readCpuMs } from './process-figures.ts';

/** What a heartbeat tells. */
export interface HeartbeatOptions {
  onPulse: (pulse: HostPulse) => void;
  /** The host has not answered twice in a row, and could have: its main thread is stuck. */
  onSilent: (silentMs: number) => void;
  /** @default what /proc says */
  waitedMs?: WaitedMs;
}

/** Asks a host again and again whether it lives. */
export class Heartbeat {
  readonly #host: HostProcess;
  readonly #options: HeartbeatOptions;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;
  #pulse: HostPulse = { idleMs: 0, inFlight: {}, ready: {} };
  #cpu: { ms: number; at: number } | null = null;
  #cpus = 0;

  constructor(host: HostProcess, options: HeartbeatOptions) {
    this.#host = host;
    this.#options = options;
    this.#measure();
    this.#later();
  }

  /** What the host said last. */
  get pulse(): HostPulse {
    return this.#pulse;
  }

  /** CPUs that the host used between the last two answers. */
  get cpus(): number {
    return this.#cpus;
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #later(): void {
    const { pingMs, pingMsMin } = hostLimits;
    const everyMs = Math.max(pingMsMin, Math.min(pingMs, this.#host.plan.limits.idleStopMs || pingMs));
    this.#timer = setTimeout(() => void this.#ask(), everyMs);
    this.#timer.unref();
  }

  async #ask(): Promise<void> {
    const before = performance.now();
    const isStarved = watchLine(this.#host.pid, this.#options.waitedMs);
    let pulse = (await this.#try()) ?? (this.#stopped ? null : await this.#try());
    // One that stands in line for a CPU would answer; what is started in its place would stand there too.
    while (pulse === null && !this.#stopped && this.#host.heardAt <= before && isStarved()) pulse = await this.#try();
    if (this.#stopped) return;
    // Connections are handed over one after the other, and a question comes after all that wait for that: a host
    // that takes thousands of them lives, although it has not heard the question yet.
    if (pulse === null && this.#host.heardAt > before) {
      this.#later();
      return;
    }
    if (pulse === null) {
      this.stop();
      this.#options.onSilent(Math.round(performance.now() - before));
      return;
    }
    this.#pulse = pulse;
    this.#measure();
    this.#later();
    this.#options.onPulse(pulse);
  }

  async #try(): Promise<HostPulse | null> {
    const deadlineMs = hostLimits.pingAnswerMs;
    return (await this.#host.request({ type: 'ping' }, { deadlineMs }).catch(() => null)) as HostPulse | null;
  }

  #measure(): void {
    const ms = readCpuMs(this.#host.pid);
    if (ms === null) return;
    const at = performance.now();
    if (this.#cpu !== null) this.#cpus = Math.max(0, (ms - this.#cpu.ms) / (at - this.#cpu.at));
    this.#cpu = { ms, at };
  }
}
