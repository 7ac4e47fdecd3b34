import { defineCommand, homeOption } from '../command.ts';

export const command = defineCommand({
  name: 'receive',
  summary: 'answer ssh for one key: git push, git clone and commands about apps (sshd runs it)',
  usage: 'receive --key ID --home DIR',
  options: { key: { type: 'string', value: 'ID', description: 'the key, as in authorized_keys' }, ...homeOption },
  positionals: [0, 0],
  hidden: true,
  details: 'It is the forced command of the keys that `fnrun keys add` writes into authorized_keys.',
  // The launcher loads it without this file; see cli/fnrun.js.
  run: async ({ values }) => {
    const { main } = await import('../receive/main.ts');
    const args = ['receive', `--key=${values.key ?? ''}`, `--home=${values.home ?? ''}`];
    return await main(args, () => import('../main.ts'));
  },
});
