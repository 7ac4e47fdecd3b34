import { join } from 'node:path';
import { compare } from '../compare.ts';
import { makeFronts, socketIn } from '../fronts.ts';
import { startNginx } from '../nginx.ts';
import { own, type BenchCase } from '../report.ts';
import { startOwn } from '../server.ts';

const fixture = join(import.meta.dirname, '../fixtures/json');
const app = { program: 'fnrun-app.ts', args: [fixture] };

/** What a gateway of other making loses or wins, and what any costs: the same app behind each, and without one. */
export const gateway: BenchCase = {
  name: 'gateway',
  summary: 'the JSON handler through the gateway, beside httpxy and nginx in its place, and the app without any',
  needs: ['wrk', 'nginx'],
  async run(context) {
    await using fronts = await makeFronts();
    await compare(
      {
        case: 'gateway',
        sides: [
          fronts.behind(own, { ...app, startFront: (dir) => startOwn('gateway.ts', [socketIn(dir)]) }),
          fronts.behind('httpxy', { ...app, startFront: (dir) => startOwn('httpxy.ts', [socketIn(dir)]) }),
          fronts.behind('nginx', { ...app, startFront: (dir) => startNginx('rendered', { dir }) }),
          { name: 'no gateway', start: () => startOwn(app.program, app.args) },
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
