import { resolve } from 'node:path';
import { findClients } from '../../deploy/backup/dump-source.ts';
import { appDataOf } from '../../deploy/backup/app-data.ts';
import { restoreApp } from '../../deploy/backup/restore.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { isKeptBackup, openSource } from '../backup/find-source.ts';
import { backupsOption } from '../backup/options.ts';
import { defineCommand, homeOption, jsonOption } from '../command.ts';
import { createControlClient } from '../control-client.ts';
import { controlApps } from '../databases/control-apps.ts';
import { resolveHome } from '../home.ts';

const options = {
  yes: { type: 'boolean', description: 'do it' },
  ...backupsOption,
  ...homeOption,
  ...jsonOption,
} as const;

export const command = defineCommand({
  name: 'restore',
  summary: "bring a backup of an app's database back, and make the app live with it",
  usage: 'restore APP FILE|latest --yes',
  options,
  positionals: [2, 2],
  remote: {
    app: true,
    localOptions: ['dir'],
    input: ({ values, positionals: [app = '', source = ''] }) =>
      isKeptBackup(source, { cwd: process.cwd() }) ? null : { from: source, values, positionals: [app, '-'] },
  },
  details: [
    'FILE is a file of yours, - for standard input, or a name of fnrun backup APP --list; latest is the last of those.',
    'It is loaded into a schema of its own, with the rights of the app. Only when all of it is there, the app gets',
    'a DATABASE_URL that names this one: a deployment like any other, in which no request fails. What was written to the',
    'former schema meanwhile is not in the restored one. The former schema stays: fnrun rollback APP goes back',
    'to it, and fnrun databases drop APP --former removes it. A rollback to a release from before goes back to it, too.',
  ].join('\n'),
  run: async (context) => {
    const { values, positionals, cwd, json, out, err, signal } = context;
    const [app = '', source = ''] = positionals;
    const apps = controlApps(createControlClient(resolveHome(values.home, context)));
    const env = await apps.readEnv(app);
    const { schema } = appDataOf(app, env);
    const { stream, name } = await openSource(source, { dir: resolve(cwd, values.dir), app, schema, cwd });
    if (values.yes !== true) {
      throw new FnrunError('FN_USAGE', `${app} would go on with the data of ${name} in place of ${schema}`, {
        hint: 'to do it, add --yes',
      });
    }
    const restored = await restoreApp({
      app,
      env,
      programs: await findClients(),
      from: stream,
      now: new Date(),
      switchTo: async (url) => await apps.setEnv(app, { DATABASE_URL: url }),
      signal,
    });
    if (json) {
      out(JSON.stringify({ app, from: name, ...restored }));
      return 0;
    }
    const { tables, sqlBytes, former } = restored;
    out(
      `${app} has the data of ${name}: ${tables} tables, ${(sqlBytes / 1e6).toFixed(1)} MB of SQL, in ${restored.schema}`,
    );
    err(`the former data are in ${former}: fnrun rollback ${app} goes back to them`);
    return 0;
  },
});
