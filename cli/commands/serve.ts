import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../runtime/entry-points.ts';
import { serviceLimits } from '../../runtime/contract/limits.ts';
import { defineCommand, homeOption } from '../command.ts';
import { resolveHome } from '../home.ts';
import { parseListenAddress } from '../listen-address.ts';

export const command = defineCommand({
  name: 'serve',
  summary: 'run the server: take pushes, serve the apps',
  usage: 'serve [--home DIR] [--listen 127.0.0.1:8080] [--take-over]',
  options: {
    ...homeOption,
    listen: {
      type: 'string',
      value: 'HOST:PORT',
      default: '127.0.0.1:8080',
      description: 'where the gateway listens; port 0 for any, none for no gateway',
    },
    'take-over': {
      type: 'boolean',
      description: 'replace the server that has the home, without a connection to an app refused',
    },
  },
  positionals: [0, 0],
  details: [
    'The home holds repositories, releases, logs and state; one server at a time has it.',
    'Apps are made with: fnrun apps create NAME. Ctrl-C ends the server and every app host.',
  ].join('\n'),
  run: async ({ values, env, cwd, signal, out, err }) => {
    const listen = parseListenAddress(values.listen);
    const home = resolveHome(values.home, { env, cwd });
    const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
    const { startDaemon } = await import('../daemon.ts');
    const daemon = await startDaemon({ home, listen, version, takeOver: values['take-over'] === true, log: err });
    out(`fnrun ${version} serves ${daemon.home}`);
    for (const url of daemon.urls) out(`  gateway  ${url}`);
    for (const app of daemon.apps())
      out(`  app      ${app.name}  ${app.live ? (app.url ?? 'live') : 'nothing pushed yet'}`);
    out('Ctrl-C ends it.');
    const end = await Promise.race([
      aborted(signal).then(() => 'told' as const),
      daemon.lost.then(() => 'lost' as const),
      daemon.replaced.then(() => 'replaced' as const),
    ]);
    // Whoever starts servers again must not start this one: it would take over in its turn.
    if (end === 'replaced') return serviceLimits.replacedExitCode;
    if (end === 'lost')
      err('fnrun: the server that wanted to take over has not come; this one ends, to be started again');
    await daemon.stop();
    return end === 'lost' ? 1 : 0;
  },
});

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
