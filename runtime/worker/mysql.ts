import { createRequire } from 'node:module';
import { providedModules } from '../contract/provided.ts';
import type { Assignment, DatabaseToWorker, ToHostControl } from '../channel/frames.ts';
import { currentInvocation } from './invocation.ts';
import type { LogChannel } from './logs.ts';
import type { MysqlRuntime, MysqlServices } from './mysql/main.ts';
import { mapStack } from './stack.ts';

/** Where the build puts it, as one file. */
const besideWorker = './mysql/main.cjs';

let create: ((services: MysqlServices) => MysqlRuntime) | null = null;

/** The databases of the function that a thread serves. */
export class WorkerDatabases {
  readonly #control: (message: ToHostControl) => void;
  readonly #logs: LogChannel;
  #runtime: MysqlRuntime | null = null;

  constructor({ control, logs }: { control: (message: ToHostControl) => void; logs: LogChannel }) {
    this.#control = control;
    this.#logs = logs;
  }

  /** Gives `fnrun/mysql` to the module that is about to be loaded; a thread without an import of it pays nothing. */
  provide(assignment: Assignment): void {
    const key = Symbol.for(providedModules['fnrun/mysql']!.symbol);
    let runtime: MysqlRuntime | null = null;
    const load = (): MysqlRuntime['exports'] => (runtime ??= this.#create(assignment)).exports;
    Object.defineProperty(globalThis, key, { configurable: true, value: load });
  }

  receive(message: DatabaseToWorker): void {
    this.#runtime?.receive(message);
  }

  #create({ app, name, releaseDir, env, databases }: Assignment): MysqlRuntime {
    create ??= loadCreate();
    this.#runtime = create({
      databases,
      env,
      program: `fnrun ${app} ${name}`,
      invocations: currentInvocation,
      log: (level, message, extra) => this.#logs.write(level, message, extra),
      send: this.#control,
      placeOf: (stack) => {
        const { place } = mapStack(stack, releaseDir);
        return place === null ? '' : ` (${place.file}:${place.line})`;
      },
    });
    return this.#runtime;
  }
}

function loadCreate(): (services: MysqlServices) => MysqlRuntime {
  const require = createRequire(import.meta.url);
  return (require(besideWorker) as typeof import('./mysql/main.ts')).createMysql;
}
