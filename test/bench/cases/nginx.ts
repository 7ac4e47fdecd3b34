import { join } from 'node:path';
import { compare, type Contestant } from '../compare.ts';
import { makeFronts, type Behind } from '../fronts.ts';
import { startNginx, type NginxSetup } from '../nginx.ts';
import { own, type BenchCase } from '../report.ts';

/**
 * nginx as it is rendered, in front of an app's socket, beside: the same in front of a bare node:http, and of a thread with
 * next to nothing around it; the same where the app has files, too; `proxy_pass` with Debian's defaults, and the recipe of 2013, in front of the same app.
 */
export const nginx: BenchCase = {
  name: 'nginx',
  summary: 'the rendered nginx in front of fnrun beside bare node:http, and beside plainer setups of nginx',
  needs: ['wrk', 'nginx'],
  async run(context) {
    await using fronts = await makeFronts();
    const behindNginx = (name: string, setup: NginxSetup, server: Pick<Behind, 'program' | 'args'>): Contestant =>
      fronts.behind(name, { ...server, startFront: (dir) => startNginx(setup, { dir }) });
    const profile = context.profile === undefined ? [] : ['--profile', context.profile];
    const fixture = join(import.meta.dirname, '../fixtures/json');
    const app = { program: 'fnrun-app.ts', args: [fixture, ...profile] };
    await compare(
      {
        case: 'nginx',
        sides: [
          behindNginx(own, 'rendered', app),
          behindNginx('node:http', 'rendered', { program: 'node-http.ts', args: ['json'] }),
          behindNginx('bare thread', 'rendered', { program: 'bare-threads.ts', args: ['1'] }),
          behindNginx('with public/', 'rendered with public', app),
          behindNginx('bare proxy_pass', 'bare', app),
          behindNginx('2013 recipe', '2013', app),
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
