import type { ChildProcess } from 'node:child_process';
import type { BuildOptions, BuildResult } from '../../builder/build.ts';
import type { FromBuilder, ToBuilder } from '../../builder/process/protocol.ts';
import { buildLimits } from '../../runtime/contract/limits.ts';
import type { Cgroups } from '../../runtime/supervisor/cgroup.ts';
import { entryPoint } from '../../runtime/entry-points.ts';
import { cgroupFor, Guard } from './guard.ts';
import type { BuildCaps } from './guard.ts';
import type { Jail } from './jail.ts';
import { cleanEnv, launch } from './launch.ts';
import { describeEnd, failureOf } from './build-failure.ts';
import type { BuildEnd } from './build-failure.ts';
import { checkResult } from './check-result.ts';
import { runNpm } from './npm-run.ts';
import { buildView, nameOf } from './places.ts';
import type { BuildPlaces } from './places.ts';

/** With what a build process is started. */
export interface BuildProcessOptions {
  jail: Jail;
  places: BuildPlaces;
  cgroups: Cgroups | null;
  caps: BuildCaps;
  /** How long one build may take, to the killing of the process. */
  wallMs: number;
}

interface Running {
  id: number;
  options: BuildOptions;
  lines: number;
  settle: PromiseWithResolvers<BuildResult>;
  npm: Map<number, AbortController>;
}

/** A process that builds one app, one build at a time, until it is ended. */
export class BuildProcess {
  /** Resolves when it has ended and nothing of it is left. */
  readonly ended: Promise<void>;
  readonly #options: BuildProcessOptions;
  readonly #child: ChildProcess;
  readonly #guard: Guard;
  readonly #ready = Promise.withResolvers<void>();
  #running: Running | null = null;
  #lastId = 0;
  #output = '';
  /** Why it is being ended, or has ended by itself. */
  #end: BuildEnd | null = null;

  constructor(options: BuildProcessOptions) {
    this.#options = options;
    const { jail, places, cgroups, caps } = options;
    const cgroup = cgroupFor(nameOf(places), { cgroups, caps });
    const node = [process.execPath, entryPoint('builder/process/main.js')];
    this.#child = launch({ command: jail.forBuild(buildView(places), node), env: cleanEnv(), cgroup, ipc: true });
    this.#guard = new Guard(this.#child, { cgroup, caps });
    const late = setTimeout(
      () => this.#stop({ code: 'FN_BUILD_DIED', why: `it did not start in ${buildLimits.processStartMs / 1000} s` }),
      buildLimits.processStartMs,
    );
    this.#ready.promise.finally(() => clearTimeout(late)).catch(() => {});
    this.ended = this.#follow();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Whether a build can be given to it. */
  get alive(): boolean {
    return this.#end === null && this.#child.connected;
  }

  /**
   * Builds. Settles when the process is through with it, or has ended: what that was of is a failure with a code
   * of its own. Rejects where `build` does.
   */
  async build(options: BuildOptions): Promise<BuildResult> {
    const { signal, onProgress: _, runNpm: __, ...rest } = options;
    const running: Running = {
      id: ++this.#lastId,
      options,
      lines: 0,
      settle: Promise.withResolvers(),
      npm: new Map(),
    };
    this.#running = running;
    const { wallMs } = this.#options;
    const overdue = setTimeout(
      () => this.#stop({ code: 'FN_BUILD_TIMEOUT', why: `it took longer than ${wallMs / 1000} s` }),
      wallMs,
    );
    let hung: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
      for (const npm of running.npm.values()) npm.abort(signal?.reason);
      this.#say({ type: 'abort', id: running.id });
      const why = 'it did not end when the build was aborted';
      hung = setTimeout(() => this.#stop({ code: 'FN_BUILD_DIED', why }), buildLimits.processAbortMs);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      this.#guard.watch();
      // Rejects when it ends before: then so does what is awaited next.
      await this.#ready.promise.catch(() => {});
      if (this.#end === null) this.#say({ type: 'build', id: running.id, options: rest });
      else running.settle.resolve(failureOf(this.#end));
      if (signal?.aborted === true) onAbort();
      return await running.settle.promise;
    } finally {
      clearTimeout(overdue);
      clearTimeout(hung);
      signal?.removeEventListener('abort', onAbort);
      this.#running = null;
      if (this.alive) this.#guard.pause();
    }
  }

  /** Ends it, whatever it does. */
  async end(): Promise<void> {
    this.#stop({ code: 'FN_BUILD_DIED', why: 'the server ended it' });
    await this.ended;
  }

  #follow(): Promise<void> {
    const collect = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-buildLimits.processOutputChars);
    };
    const child = this.#child;
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.on('message', (message: FromBuilder) => this.#hear(message));
    return new Promise((resolve) => {
      const onEnd = (how: string): void => {
        this.#lost(how);
        void this.#guard.clear().then(resolve);
      };
      child.on('error', (error) => {
        if (child.pid === undefined) onEnd(`cannot be started: ${error.message}`);
      });
      // Its output is whole then.
      child.on('close', (code, signal) => onEnd(describeEnd(code, signal)));
    });
  }

  #hear(message: FromBuilder): void {
    const running = this.#running;
    if (message.type === 'ready') this.#ready.resolve();
    else if (message.type === 'npm-abort') running?.npm.get(message.run)?.abort(new Error('The build was aborted'));
    else if (running?.id !== message.id) return;
    else if (message.type === 'progress') this.#progress(running, message.line);
    else if (message.type === 'npm') void this.#npm(running, message);
    else if (message.type === 'result') this.#settle(running, message.result);
    else running.settle.reject(Object.assign(new Error(message.message), { stack: message.stack ?? message.message }));
  }

  #settle(running: Running, result: BuildResult): void {
    try {
      running.settle.resolve(checkResult(result, this.#options.places));
    } catch (error) {
      running.settle.reject(error);
    }
  }

  #progress(running: Running, line: string): void {
    running.lines++;
    if (running.lines > buildLimits.progressLines) {
      this.#stop({ code: 'FN_BUILD_LIMIT', why: `it said more than ${buildLimits.progressLines} lines` });
    } else running.options.onProgress?.(String(line).slice(0, buildLimits.progressLineChars));
  }

  async #npm(running: Running, { run, request }: Extract<FromBuilder, { type: 'npm' }>): Promise<void> {
    const abort = new AbortController();
    running.npm.set(run, abort);
    try {
      const result = await runNpm(request, { ...this.#options, signal: abort.signal });
      this.#say({ type: 'npm-done', run, result, error: null });
    } catch (error) {
      this.#say({ type: 'npm-done', run, result: null, error: error instanceof Error ? error.message : String(error) });
    } finally {
      running.npm.delete(run);
    }
  }

  #say(message: ToBuilder): void {
    // Its end is told by "close".
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #stop(end: BuildEnd): void {
    this.#end ??= end;
    this.#guard.kill(null);
  }

  #lost(how: string): void {
    const { exceeded } = this.#guard;
    if (exceeded !== null) this.#end = { code: 'FN_BUILD_LIMIT', why: exceeded };
    const output = this.#end === null ? this.#output : '';
    this.#end ??= { code: 'FN_BUILD_DIED', why: how, output };
    this.#ready.reject(new Error(this.#end.why));
    for (const npm of this.#running?.npm.values() ?? []) npm.abort(new Error('The build process ended'));
    this.#running?.settle.resolve(failureOf(this.#end));
  }
}
