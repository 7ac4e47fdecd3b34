import { defineCommand } from '../command.ts';
import { switchOptions, switchRelease } from '../switch-release.ts';

export const command = defineCommand({
  name: 'redeploy',
  summary: 'activate the live release anew, or a named one',
  usage: 'redeploy APP [RELEASE]',
  options: switchOptions,
  positionals: [1, 2],
  remote: { app: true },
  details: 'RELEASE is an id from `fnrun deploys APP`, or the start of one.',
  run: (context) => switchRelease('redeploy', context),
});
