import { defineCommand } from '../command.ts';
import { switchOptions, switchRelease } from '../switch-release.ts';

export const command = defineCommand({
  name: 'rollback',
  summary: 'make the release before the live one live again, or a named one',
  usage: 'rollback APP [RELEASE]',
  options: switchOptions,
  positionals: [1, 2],
  remote: { app: true },
  details: 'RELEASE is an id from `fnrun deploys APP`, or the start of one.',
  run: (context) => switchRelease('rollback', context),
});
