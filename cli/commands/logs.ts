import type { LogRecord } from '../../router/control/types.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { createControlClient } from '../control-client.ts';
import { defineCommand, homeOption } from '../command.ts';
import { resolveHome } from '../home.ts';
import { formatLogRecord } from '../log-line.ts';

export const command = defineCommand({
  name: 'logs',
  summary: 'show the log of an app, and follow it with -f',
  usage: 'logs APP [-f] [--function F] [--lines N]',
  options: {
    follow: { type: 'boolean', short: 'f', description: 'go on showing lines as they come, until Ctrl-C' },
    function: { type: 'string', value: 'F', description: 'only lines of this function, for example users/[id]' },
    lines: { type: 'string', short: 'n', value: 'N', default: '100', description: 'how many past lines to show' },
    json: { type: 'boolean', description: 'print each line as the JSON object it is' },
    ...homeOption,
  },
  positionals: [1, 1],
  remote: { app: true },
  run: async ({ positionals, values, env, cwd, json, color, signal, out }) => {
    if (!/^\d{1,6}$/.test(values.lines)) {
      throw new FnrunError('FN_USAGE', `--lines must be a whole number: it is ${values.lines}`);
    }
    const query = new URLSearchParams({ lines: values.lines });
    if (values.follow === true) query.set('follow', '1');
    if (values.function !== undefined) query.set('function', values.function);
    const path = `/v1/apps/${encodeURIComponent(positionals[0] ?? '')}/logs?${query.toString()}`;
    const client = createControlClient(resolveHome(values.home, { env, cwd }));
    for await (const record of client.stream<LogRecord>(path, { signal })) {
      out(json ? JSON.stringify(record) : formatLogRecord(record, { color, requestIds: true }));
    }
    return 0;
  },
});
