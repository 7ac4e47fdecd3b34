import type { EnvBody, EnvChangeBody, EnvChangedBody } from '../../router/control/types.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { hostLimits } from '../../runtime/contract/limits.ts';
import { defineCommand, homeOption, jsonOption, type CommandContext } from '../command.ts';
import { createControlClient, type ControlClient } from '../control-client.ts';
import { parseAssignments, readValue } from '../env-change.ts';
import { resolveHome } from '../home.ts';
import { formatDuration, renderTable } from '../table.ts';

const options = {
  values: { type: 'boolean', description: 'list: show the values too' },
  previews: { type: 'boolean', description: "of the app's previews, beside its own variables" },
  ...homeOption,
  ...jsonOption,
} as const;
type Context = CommandContext<typeof options>;

const actions = new Set(['list', 'set', 'unset']);
type Call = { app: string; path: string; client: ControlClient; context: Context };

export const command = defineCommand({
  name: 'env',
  summary: 'list, set or unset the environment variables of an app',
  usage: 'env APP [list|set NAME=VALUE…|unset NAME…]',
  options,
  positionals: [1, Infinity],
  remote: {
    app: true,
    // An app may be called `set`: then its name is followed by what to do, too.
    leftOut: ([first = '', second = '']) => actions.has(first) && !actions.has(second),
    input: ({ values, positionals }) => {
      const asked = positionals[1] === 'set' && positionals.slice(2).some((one) => /^[^=]+=-$/.test(one));
      return asked ? { from: '-', values } : null;
    },
  },
  details: [
    '  list                 names and sizes of the variables (the default); with --values the values too',
    '  set NAME=VALUE…      sets variables and makes the live code live with them',
    '  set NAME=-           the same with the value from standard input: kept out of the shell history',
    '  unset NAME…          removes variables, likewise',
    '',
    'All variables of one call change at once. No request fails and no process starts anew.',
    'Previews of branches have the variables of their app, those of --previews over them, and over these what is set',
    'for the preview itself (fnrun env topic--shop set …). With --previews nothing is deployed: the next push has it.',
    'A rollback brings back the variables of its release.',
  ].join('\n'),
  run: async (context) => {
    const [app = '', action = 'list', ...args] = context.positionals;
    // A value on the command line is there for everybody who may look at processes: not for longer than it must.
    process.title = `fnrun env ${app} ${action}`;
    const path = `/v1/apps/${encodeURIComponent(app)}/env${context.values.previews === true ? '?previews=1' : ''}`;
    const call = { app, path, client: createControlClient(resolveHome(context.values.home, context)), context };
    if (action === 'list') return await list(call, args);
    if (action !== 'set' && action !== 'unset') {
      throw new FnrunError('FN_USAGE', `env cannot ${action}`, { hint: 'see: fnrun env --help' });
    }
    if (args.length === 0) {
      const what = action === 'set' ? 'NAME=VALUE' : 'NAME';
      throw new FnrunError('FN_USAGE', `env ${action} needs a variable`, {
        hint: `usage: fnrun env ${app} ${action} ${what}`,
      });
    }
    if (action === 'unset') return await change({ unset: args }, call);
    const { set, fromInput } = parseAssignments(args);
    if (fromInput !== null) set[fromInput] = await readValue(process.stdin);
    return await change({ set }, call);
  },
});

async function list({ app, path, client, context }: Call, args: readonly string[]): Promise<number> {
  if (args.length > 0) throw new FnrunError('FN_USAGE', 'env list takes no names', { hint: 'see: fnrun env --help' });
  const { json, out, values } = context;
  const query = values.values === true ? `${path.includes('?') ? '&' : '?'}values=1` : '';
  const { variables } = await client.request<EnvBody>('GET', `${path}${query}`);
  if (json) {
    out(JSON.stringify(variables, null, 2));
  } else if (variables.length === 0) {
    out(`No variables. Set one with: fnrun env ${app} set NAME=VALUE`);
  } else if (values.values === true) {
    for (const { name, value = '' } of variables) out(`${name}=${quote(value)}`);
  } else {
    out(
      renderTable(
        ['NAME', 'BYTES'],
        variables.map(({ name, bytes }) => [name, String(bytes)]),
      ),
    );
  }
  return 0;
}

/** As a line of a .env file: `fnrun dev` reads it. Values with several lines are shown as they are, in quotes. */
function quote(value: string): string {
  if (/^[\w./:@%+,-]*$/.test(value)) return value;
  const mark = ["'", '"', '`'].find((one) => !value.includes(one)) ?? "'";
  return `${mark}${value}${mark}`;
}

async function change(body: EnvChangeBody, { app, path, client, context }: Call): Promise<number> {
  const deadlineMs = hostLimits.controlSwitchMs;
  const answer = await client.request<EnvChangedBody>('POST', path, { body, deadlineMs });
  const { changed, deployment } = answer;
  if (context.json) {
    context.out(JSON.stringify(answer, null, 2));
  } else if (deployment !== null) {
    const took = deployment.durationMs === null ? '' : ` (${formatDuration(deployment.durationMs)})`;
    context.out(`${app} now serves ${deployment.release}: ${deployment.subject}${took}`);
  } else {
    const first = context.values.previews === true ? 'the next push of a branch' : `the first push to ${app}`;
    context.out(changed ? `Stored: ${first} will have it.` : 'Nothing changed.');
  }
  return 0;
}
