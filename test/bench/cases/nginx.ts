import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTempDir } from '../../support/temp-dir.ts';
import { compare, type Contestant } from '../compare.ts';
import { startNginx, type NginxSetup } from '../nginx.ts';
import { own, type BenchCase } from '../report.ts';
import { startOwn, type BenchServer } from '../server.ts';

/** What is behind an nginx. */
interface Behind {
  /** Of peers/, with the arguments before its socket. */
  program: string;
  args: readonly string[];
  setup: NginxSetup;
}

/**
 * nginx as it is rendered, in front of an app's socket, beside: the same in front of a bare node:http, and of a thread with
 * next to nothing around it; the same where the app has files, too; `proxy_pass` with Debian's defaults, and the recipe of 2013, in front of the same app.
 */
export const nginx: BenchCase = {
  name: 'nginx',
  summary: 'the rendered nginx in front of fnrun beside bare node:http, and beside plainer setups of nginx',
  needs: ['wrk', 'nginx'],
  async run(context) {
    // Short: the paths of sockets have 107 bytes.
    await using folder = await makeTempDir('fn-');
    let started = 0;
    // The workers of nginx run as somebody else.
    await chmod(folder.path, 0o755);
    const behindNginx = (name: string, { program, args, setup }: Behind): Contestant => {
      let family: number[] = [];
      return {
        name,
        pids: () => family,
        async start(): Promise<BenchServer> {
          const dir = join(folder.path, String(++started));
          await mkdir(dir);
          const socket = join(dir, 'app.sock');
          await using stack = new AsyncDisposableStack();
          const server = stack.use(await startOwn(program, [...args, '--socket', socket]));
          const front = stack.use(await startNginx(setup, { dir }));
          family = [server.pid, front.pid];
          const both = stack.move();
          return { pid: front.pid, url: front.url, [Symbol.asyncDispose]: () => both.disposeAsync() };
        },
      };
    };
    const profile = context.profile === undefined ? [] : ['--profile', context.profile];
    const fixture = join(import.meta.dirname, '../fixtures/json');
    const app = { program: 'fnrun-app.ts', args: [fixture, ...profile] };
    await compare(
      {
        case: 'nginx',
        sides: [
          behindNginx(own, { ...app, setup: 'rendered' }),
          behindNginx('node:http', { program: 'node-http.ts', args: ['json'], setup: 'rendered' }),
          behindNginx('bare thread', { program: 'bare-threads.ts', args: ['1'], setup: 'rendered' }),
          behindNginx('with public/', { ...app, setup: 'rendered with public' }),
          behindNginx('bare proxy_pass', { ...app, setup: 'bare' }),
          behindNginx('2013 recipe', { ...app, setup: '2013' }),
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
