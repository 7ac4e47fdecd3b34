import { availableParallelism } from 'node:os';
import type { BuildOptions, BuildResult } from '../../builder/build.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { buildLimits } from '../../runtime/contract/limits.ts';
import type { Cgroups } from '../../runtime/supervisor/cgroup.ts';
import { BuildProcess } from './build-process.ts';
import type { BuildCaps } from './guard.ts';
import type { Jail } from './jail.ts';
import { identityOf, placesOf } from './places.ts';
import type { BuildPlaces } from './places.ts';

/** What the operator of a server says about builds: `builds` of config.json. */
export interface BuildPolicy extends Partial<BuildCaps> {
  /** Time without a build after which an app's build process ends. */
  idleMs?: number;
  /** Builds at once. @default the number of cores */
  parallel?: number;
}

/** What a pool is made with. */
export interface BuildPoolOptions {
  /** The jail, once it is found. */
  jail: Promise<Jail>;
  cgroups: Cgroups | null;
  policy: BuildPolicy;
  /** How long one build may take. @default what `build` allows, and a little more */
  wallMs?: number;
}

interface Member {
  readonly folders: string;
  readonly process: BuildProcess;
  busy: boolean;
  idleTimer: NodeJS.Timeout | null;
}

interface Waiter {
  places: BuildPlaces;
  take: (member: Member) => void;
  fail: (error: unknown) => void;
}

const defaultWallMs = buildLimits.buildMs + buildLimits.npmInstallMs + buildLimits.processSlackMs;

/**
 * The build processes of a server: at most `parallel`, each for one app, kept warm for `idleMs` after a build.
 * An idle one of another app gives way to a build that has none.
 */
export class BuildPool {
  readonly #options: BuildPoolOptions;
  readonly #parallel: number;
  readonly #idleMs: number;
  /** The one that was idle longest comes first. */
  readonly #members: Member[] = [];
  readonly #waiters: Waiter[] = [];
  readonly #ending = new Set<Promise<void>>();
  #jail: Jail | null = null;
  #stopped = false;

  constructor(options: BuildPoolOptions) {
    const { parallel = availableParallelism(), idleMs = buildLimits.processIdleMs } = options.policy;
    this.#options = options;
    this.#parallel = Math.min(parallel, buildLimits.parallelMax);
    this.#idleMs = idleMs;
  }

  /** Builds as `build` of builder/ does, in a process that is kept apart. */
  async build(options: BuildOptions): Promise<BuildResult> {
    const { signal, onProgress } = options;
    signal?.throwIfAborted();
    this.#jail ??= await this.#options.jail;
    const member = await this.#take(placesOf(options), {
      signal,
      onWait: () => onProgress?.('waiting for another build to end'),
    });
    const built = member.process.build(options);
    // An aborted build is given up at once; its process is free when it is through with it.
    built
      .catch(() => {})
      .finally(() => this.#giveBack(member))
      .catch(() => {});
    return await untilAborted(built, signal);
  }

  /** Has a process for the app started, for a build that is about to come. What is wrong, that one will tell. */
  async warm(places: BuildPlaces): Promise<void> {
    try {
      this.#jail ??= await this.#options.jail;
      if (this.#stopped || this.#idle(places) !== undefined) return;
      const member = this.#start(places);
      // It has not been idle yet: it waits for what it was started for.
      if (member !== null) this.#giveBack(member, Math.max(this.#idleMs, buildLimits.processWarmMs));
    } catch {
      // Told when it is built.
    }
  }

  /** The processes that there are. */
  get processes(): { pid: number | undefined; busy: boolean }[] {
    return this.#members.map(({ process, busy }) => ({ pid: process.pid, busy }));
  }

  /** Ends all processes, whatever they do. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { fail } of this.#waiters.splice(0)) fail(ending());
    while (this.#members[0] !== undefined) this.#end(this.#members[0]);
    await Promise.all(this.#ending);
  }

  async #take(
    places: BuildPlaces,
    { signal, onWait }: { signal?: AbortSignal | undefined; onWait: () => void },
  ): Promise<Member> {
    if (this.#stopped) throw ending();
    const free = this.#idle(places) ?? this.#start(places);
    if (free !== null) {
      this.#occupy(free);
      return free;
    }
    if (this.#waiters.length >= buildLimits.waiting)
      throw new FnrunError('FN_BUSY', `${this.#waiters.length} builds are waiting already`, {
        hint: 'push again later',
      });
    onWait();
    const { promise, resolve, reject } = Promise.withResolvers<Member>();
    const waiter: Waiter = { places, take: resolve, fail: reject };
    this.#waiters.push(waiter);
    try {
      return await untilAborted(promise, signal);
    } catch (error) {
      const at = this.#waiters.indexOf(waiter);
      if (at !== -1) this.#waiters.splice(at, 1);
      // It got its process in the very turn in which it was given up.
      else promise.then((member) => this.#giveBack(member)).catch(() => {});
      throw error;
    }
  }

  #idle(places: BuildPlaces): Member | undefined {
    const same = identityOf(places);
    return this.#members.find(({ folders, busy, process }) => folders === same && !busy && process.alive);
  }

  /** Null when as many builds run as may. */
  #start(places: BuildPlaces): Member | null {
    if (this.#members.length >= this.#parallel) {
      const idle = this.#members.find(({ busy }) => !busy);
      if (idle === undefined) return null;
      this.#end(idle);
    }
    const { cgroups, policy, wallMs = defaultWallMs } = this.#options;
    const caps = {
      memoryMb: policy.memoryMb ?? buildLimits.memoryMb,
      processes: policy.processes ?? buildLimits.processes,
    };
    const process = new BuildProcess({ jail: this.#jail!, places, cgroups, caps, wallMs });
    const member: Member = { folders: identityOf(places), process, busy: false, idleTimer: null };
    this.#members.push(member);
    void process.ended.then(() => this.#remove(member));
    return member;
  }

  #occupy(member: Member): void {
    member.busy = true;
    if (member.idleTimer !== null) clearTimeout(member.idleTimer);
    member.idleTimer = null;
  }

  #giveBack(member: Member, idleMs = this.#idleMs): void {
    member.busy = false;
    if (!member.process.alive) this.#end(member);
    else {
      this.#remove(member);
      this.#members.push(member);
      member.idleTimer = setTimeout(() => this.#end(member), idleMs);
      member.idleTimer.unref();
    }
    this.#serveNext();
  }

  #serveNext(): void {
    const [next] = this.#waiters;
    if (next === undefined || this.#stopped) return;
    try {
      const member = this.#idle(next.places) ?? this.#start(next.places);
      if (member === null) return;
      this.#waiters.shift();
      this.#occupy(member);
      next.take(member);
    } catch (error) {
      this.#waiters.shift();
      next.fail(error);
      this.#serveNext();
    }
  }

  #end(member: Member): void {
    this.#remove(member);
    const ended = member.process.end();
    this.#ending.add(ended);
    void ended.finally(() => this.#ending.delete(ended));
  }

  #remove(member: Member): void {
    if (member.idleTimer !== null) clearTimeout(member.idleTimer);
    const at = this.#members.indexOf(member);
    if (at !== -1) this.#members.splice(at, 1);
  }
}

function ending(): FnrunError {
  return new FnrunError('FN_NOT_RUNNING', 'The server is ending', { hint: 'push again when it runs' });
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
