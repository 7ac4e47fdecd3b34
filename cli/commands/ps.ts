import type { ProcessesBody } from '../../router/control/types.ts';
import { createControlClient } from '../control-client.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { defineCommand, homeOption, jsonOption } from '../command.ts';
import { resolveHome } from '../home.ts';
import { renderApp } from '../ps/render-app.ts';
import { renderApps } from '../ps/render-apps.ts';

export const command = defineCommand({
  name: 'ps',
  summary: 'show the process of each app, its limits and its functions',
  usage: 'ps [APP]',
  options: { ...homeOption, ...jsonOption },
  positionals: [0, 1],
  remote: { app: false },
  details: [
    'Shows the server and every app; with APP, that one with its limits, functions and last ends.',
    'A figure with a slash stands before what it may be at most.',
  ].join('\n'),
  run: async ({ values, positionals, env, cwd, json, out }) => {
    const client = createControlClient(resolveHome(values.home, { env, cwd }));
    const processes = await client.request<ProcessesBody>('GET', '/v1/ps');
    const nowMs = Date.now();
    const [name] = positionals;
    const app = processes.apps.find((one) => one.app === name);
    if (name !== undefined && app === undefined) {
      throw new FnrunError('FN_NO_SUCH_APP', `There is no app ${JSON.stringify(name)}`, { hint: 'see: fnrun ps' });
    }
    if (json) out(JSON.stringify(app ?? processes, null, 2));
    else out(app === undefined ? renderApps(processes, { nowMs }) : renderApp(app, { nowMs }));
    return 0;
  },
});
