import { resolve } from 'node:path';
import { defineCommand } from '../command.ts';
import { parsePort } from '../parse-port.ts';

export const command = defineCommand({
  name: 'dev',
  summary: 'run an app here and reload it on every save',
  usage: 'dev [DIR] [--port 3000] [--host 127.0.0.1]',
  options: {
    port: { type: 'string', short: 'p', value: 'PORT', default: '3000', description: 'port to listen on, 0 for any' },
    host: { type: 'string', value: 'ADDRESS', default: '127.0.0.1', description: 'address to listen on' },
  },
  positionals: [0, 1],
  details: [
    'The app (DIR, default: the current folder) runs in the same host process, with the same',
    'router and limits as on a server. A file .env beside functions/ is its environment. When a',
    'build fails, the last good one goes on serving. Ctrl-C ends it.',
    '',
    'An app that uses a database and has no DATABASE_URL in .env gets one of its own, if MariaDB or',
    'MySQL is installed: in .fnrun/database, kept between runs. migrations/*.sql are applied.',
  ].join('\n'),
  run: async ({ positionals, values, cwd, color, signal, out, err, env }) => {
    const port = parsePort(values.port, '--port');
    const { runDev } = await import('../dev/run-dev.ts');
    const dir = resolve(cwd, positionals[0] ?? '.');
    return await runDev({ dir, port, host: values.host, path: env['PATH'] ?? '', color, signal, out, err });
  },
});
