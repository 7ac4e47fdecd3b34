import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTempDir } from '../support/temp-dir.ts';
import type { Contestant } from './compare.ts';
import { startOwn, type BenchServer } from './server.ts';

/** A server and what stands in front of it. */
export interface Behind {
  /** Of peers/, with the arguments before its socket. */
  program: string;
  args: readonly string[];
  /** Starts what leads to `<dir>/app.sock`. */
  startFront: (dir: string) => Promise<BenchServer>;
}

/** Makes contestants of two processes, whose CPU time counts together. */
export interface Fronts extends AsyncDisposable {
  behind(name: string, options: Behind): Contestant;
}

/** In a folder of their own, which nginx's workers, who are somebody else, may enter. */
export async function makeFronts(): Promise<Fronts> {
  // Short: the paths of sockets have 107 bytes.
  const folder = await makeTempDir('fn-');
  let started = 0;
  await chmod(folder.path, 0o755);
  return {
    behind(name, { program, args, startFront }) {
      let family: number[] = [];
      return {
        name,
        pids: () => family,
        async start() {
          const dir = join(folder.path, String(++started));
          await mkdir(dir);
          await using stack = new AsyncDisposableStack();
          const server = stack.use(await startOwn(program, [...args, '--socket', socketIn(dir)]));
          const front = stack.use(await startFront(dir));
          family = [server.pid, front.pid];
          const both = stack.move();
          return { pid: front.pid, url: front.url, [Symbol.asyncDispose]: () => both.disposeAsync() };
        },
      };
    },
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}

/** Where the server listens. */
export function socketIn(dir: string): string {
  return join(dir, 'app.sock');
}
