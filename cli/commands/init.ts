import { relative, resolve } from 'node:path';
import { defineCommand } from '../command.ts';
import { ownName } from '../own-name.ts';

export const command = defineCommand({
  name: 'init',
  summary: 'make a new app: folder, example functions, types, git',
  usage: 'init [DIR]',
  options: {},
  positionals: [0, 1],
  details: [
    'DIR must be empty or not there yet (default: the current folder). Nothing is installed:',
    'the app type-checks in an editor and runs under fnrun dev as it is.',
  ].join('\n'),
  run: async ({ positionals, cwd, env, out }) => {
    const { initApp } = await import('../init/init-app.ts');
    const dir = resolve(cwd, positionals[0] ?? '.');
    const { name, git } = await initApp(dir, { env });
    const fnrun = ownName(env);
    const enter = relative(cwd, dir);
    out(`Made ${name} in ${dir} (${git})`);
    out('');
    out('Run it, with a reload on every save:');
    if (enter !== '') out(`  cd ${quoted(enter)}`);
    out(`  ${fnrun} dev`);
    out('');
    out(`Deploy it to a server on this machine (the second command prints the address to push to):`);
    out(`  ${fnrun} serve`);
    out(`  ${fnrun} apps create ${name}`);
    return 0;
  },
});

function quoted(path: string): string {
  return /^[\w./@-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
