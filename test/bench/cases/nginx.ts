import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTempDir } from '../../support/temp-dir.ts';
import { compare, type Contestant } from '../compare.ts';
import { startNginx } from '../nginx.ts';
import { own, type BenchCase } from '../report.ts';
import { startOwn, type BenchServer } from '../server.ts';

/** nginx in front of an app's socket beside nginx in front of a bare node:http, the same nginx configuration for both. */
export const nginx: BenchCase = {
  name: 'nginx',
  summary: 'nginx in front of fnrun beside nginx in front of bare node:http',
  needs: ['wrk', 'nginx'],
  async run(context) {
    // Short: the paths of sockets have 107 bytes.
    await using folder = await makeTempDir('fn-');
    // The workers of nginx run as somebody else.
    await chmod(folder.path, 0o755);
    const behindNginx = (name: string, program: string, args: readonly string[]): Contestant => {
      let family: number[] = [];
      return {
        name,
        pids: () => family,
        async start(): Promise<BenchServer> {
          const dir = join(folder.path, program);
          await mkdir(dir);
          const socket = join(dir, 'app.sock');
          await using stack = new AsyncDisposableStack();
          const server = stack.use(await startOwn(program, [...args, '--socket', socket]));
          const front = stack.use(await startNginx(socket, { dir }));
          family = [server.pid, front.pid];
          const both = stack.move();
          return { pid: front.pid, url: front.url, [Symbol.asyncDispose]: () => both.disposeAsync() };
        },
      };
    };
    const profile = context.profile === undefined ? [] : ['--profile', context.profile];
    await compare(
      {
        case: 'nginx',
        sides: [
          behindNginx(own, 'fnrun-app.ts', [join(import.meta.dirname, '../fixtures/json'), ...profile]),
          behindNginx('node:http', 'node-http.ts', ['json']),
        ],
        load: {},
        seconds: 3,
        request: { path: '/' },
        expected: '{"message":"hello","items":[1,2,3]}',
        targets: { 'node:http': { throughput: { least: 0.9 } } },
      },
      context,
    );
  },
};
