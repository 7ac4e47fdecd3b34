import { FnrunError } from '../../runtime/contract/errors.ts';
import { defineCommand, homeOption } from '../command.ts';
import { resolveHome } from '../home.ts';

export const command = defineCommand({
  name: 'invoke',
  summary: 'send a request to an app of this machine and print the answer',
  usage: 'invoke APP PATH [-X METHOD] [-d BODY] [-H "NAME: VALUE"]',
  options: {
    method: { type: 'string', short: 'X', value: 'METHOD', description: 'the method (default: GET, or POST with -d)' },
    data: { type: 'string', short: 'd', value: 'BODY', description: 'the body; @FILE sends a file, @- standard input' },
    header: {
      type: 'string',
      short: 'H',
      value: '"NAME: VALUE"',
      multiple: true,
      description: 'a header; may be repeated',
    },
    include: { type: 'boolean', short: 'i', description: 'print the status and the headers too' },
    ...homeOption,
  },
  positionals: [2, 2],
  remote: {
    app: true,
    asks: true,
    input: ({ values }) => {
      const { data } = values;
      if (typeof data !== 'string' || !data.startsWith('@')) return null;
      return { from: data.slice(1), values: { ...values, data: '@-' } };
    },
  },
  details: [
    'The request goes straight to the socket of the app, past gateway and nginx. The body of the',
    'answer goes to standard output as it comes. Exit code 1 for a status of 400 or above.',
  ].join('\n'),
  run: async ({ positionals, values, env, cwd, signal, err }) => {
    const [app = '', target = ''] = positionals;
    if (!target.startsWith('/')) {
      throw new FnrunError('FN_USAGE', `PATH must begin with a slash: it is ${target}`, {
        hint: `try: ${pathOf(target)}`,
      });
    }
    const { invokeApp } = await import('../invoke-app.ts');
    const status = await invokeApp({
      home: resolveHome(values.home, { env, cwd }),
      app,
      target,
      method: values.method,
      data: values.data,
      headers: values.header ?? [],
      include: values.include === true,
      cwd,
      signal,
      output: process.stdout,
    });
    if (status < 400) return 0;
    if (values.include !== true) err(`fnrun: the app answered with ${status}`);
    return 1;
  },
});

/** What was probably meant: the path of a URL, or the same behind a slash. */
function pathOf(target: string): string {
  const url = URL.parse(target);
  return url === null || url.host === '' ? `/${target}` : url.pathname + url.search;
}
