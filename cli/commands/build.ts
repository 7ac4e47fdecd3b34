import { resolve } from 'node:path';
import { defineCommand, jsonOption } from '../command.ts';

export const command = defineCommand({
  name: 'build',
  summary: 'make the release that a push would make, and load every function of it once',
  usage: 'build [DIR] [--out DIR]',
  options: {
    out: {
      type: 'string',
      short: 'o',
      value: 'DIR',
      description: 'where the release goes, as DIR/<id> (default: .fnrun/build in the app)',
    },
    ...jsonOption,
  },
  positionals: [0, 1],
  details: [
    'Dependencies are installed from the lockfile, as on a server; node_modules of the app is not',
    'looked at. Functions load with the environment of the file .env beside functions/.',
  ].join('\n'),
  run: async ({ positionals, values, cwd, json, color, signal, out, err }) => {
    const dir = resolve(cwd, positionals[0] ?? '.');
    const releasesDir = values.out === undefined ? resolve(dir, '.fnrun/build') : resolve(cwd, values.out);
    const { runBuild } = await import('../run-build.ts');
    return await runBuild({ dir, releasesDir, json, color, signal, out, err });
  },
});
