import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTempDir } from '../../support/temp-dir.ts';
import { compare, type Contestant } from '../compare.ts';
import { startNginx } from '../nginx.ts';
import { own, type BenchCase } from '../report.ts';
import { startOwn, type BenchServer } from '../server.ts';

const fixture = join(import.meta.dirname, '../fixtures/json');

/** What a gateway of other making loses or wins, and what any costs: the same app behind each, and without one. */
export const gateway: BenchCase = {
  name: 'gateway',
  summary: 'the JSON handler through the gateway, beside httpxy and nginx in its place, and the app without any',
  needs: ['wrk', 'nginx'],
  async run(context) {
    // Short: the paths of sockets have 107 bytes.
    await using folder = await makeTempDir('fn-');
    let started = 0;
    // The workers of nginx run as somebody else.
    await chmod(folder.path, 0o755);
    const behind = (name: string, startFront: (dir: string) => Promise<BenchServer>): Contestant => {
      let family: number[] = [];
      return {
        name,
        pids: () => family,
        async start(): Promise<BenchServer> {
          const dir = join(folder.path, String(++started));
          await mkdir(dir);
          await using stack = new AsyncDisposableStack();
          const app = stack.use(await startOwn('fnrun-app.ts', [fixture, '--socket', socketIn(dir)]));
          const front = stack.use(await startFront(dir));
          family = [app.pid, front.pid];
          const both = stack.move();
          return { pid: front.pid, url: front.url, [Symbol.asyncDispose]: () => both.disposeAsync() };
        },
      };
    };
    await compare(
      {
        case: 'gateway',
        sides: [
          behind(own, (dir) => startOwn('gateway.ts', [socketIn(dir)])),
          behind('httpxy', (dir) => startOwn('httpxy.ts', [socketIn(dir)])),
          behind('nginx', (dir) => startNginx('rendered', { dir })),
          { name: 'no gateway', start: () => startOwn('fnrun-app.ts', [fixture]) },
        ],
        load: {},
        seconds: 3,
        request: { path: '/' },
        expected: '{"message":"hello","items":[1,2,3]}',
      },
      context,
    );
  },
};

const socketIn = (dir: string): string => join(dir, 'app.sock');
