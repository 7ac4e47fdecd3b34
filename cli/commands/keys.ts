import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { AddKeyBody, KeyBody, KeysBody } from '../../router/control/key-types.ts';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { defineCommand, homeOption, jsonOption, type CommandContext } from '../command.ts';
import { createControlClient, type ControlClient } from '../control-client.ts';
import { resolveHome } from '../home.ts';
import { formatAge, renderTable } from '../table.ts';

const options = {
  'key-file': { type: 'string', value: 'FILE', description: 'the public key (default: standard input)' },
  app: { type: 'string', value: 'APP', multiple: true, description: 'it may push to this app; may be repeated' },
  'all-apps': { type: 'boolean', description: 'it may push to every app' },
  branch: {
    type: 'string',
    value: 'B',
    multiple: true,
    description: 'only this branch (main, feature/*); may be repeated',
  },
  create: { type: 'boolean', description: 'its first push to a new name makes the app' },
  'read-only': { type: 'boolean', description: 'it may clone and look, and push nothing' },
  admin: { type: 'boolean', description: 'it may do everything, with keys as well' },
  ...homeOption,
  ...jsonOption,
} as const;
type Context = CommandContext<typeof options>;

export const command = defineCommand({
  name: 'keys',
  summary: 'list, add or remove the ssh keys that may push',
  usage: 'keys [list|add NAME|remove NAME] [--key-file F] [--app APP…|--all-apps] [--branch B…] [--create]',
  options,
  positionals: [0, 2],
  remote: {
    app: false,
    input: ({ values, positionals }) => {
      if (positionals[0] !== 'add') return null;
      const { 'key-file': from = '-', ...rest } = values;
      return { from: String(from), values: rest };
    },
  },
  details: [
    '  list           the keys and what they may do (the default)',
    '  add NAME       gives a public key the apps and branches that are named',
    '  remove NAME    takes it away again, at once',
    '',
    'ssh-keygen -t ed25519 makes a key; the file that ends in .pub is the public one.',
  ].join('\n'),
  run: async (context) => {
    const [action = 'list', name] = context.positionals;
    const client = createControlClient(resolveHome(context.values.home, context));
    if (action === 'list') return await list(client, context);
    if (action !== 'add' && action !== 'remove') {
      throw new FnrunError('FN_USAGE', `keys ${action} is nothing fnrun can do`, { hint: 'see: fnrun keys --help' });
    }
    if (name === undefined) {
      throw new FnrunError('FN_USAGE', `keys ${action} needs a name`, { hint: `usage: fnrun keys ${action} NAME` });
    }
    return await (action === 'add' ? add : remove)(client, { name, context });
  },
});

async function list(client: ControlClient, { json, out }: Context): Promise<number> {
  const { keys } = await client.request<KeysBody>('GET', '/v1/keys');
  if (json) out(JSON.stringify(keys, null, 2));
  else if (keys.length === 0) out('No keys yet. Add one with: fnrun keys add NAME --key-file FILE.pub --app APP');
  else out(renderTable(['NAME', 'APPS', 'BRANCHES', 'MAY', 'ADDED', 'FINGERPRINT'], keys.map(row)));
  return 0;
}

function row({ name, apps, branches, createdAt, fingerprint, ...key }: KeyBody): string[] {
  const rights = key.admin ? ['admin'] : [key.readOnly ? 'read' : 'push', ...(key.create ? ['create'] : [])];
  return [
    name,
    apps === null ? 'all' : apps.join(' ') || '-',
    branches === null ? 'all' : branches.join(' '),
    rights.join(' '),
    formatAge(createdAt, { nowMs: Date.now() }),
    fingerprint,
  ];
}

async function add(client: ControlClient, { name, context }: { name: string; context: Context }): Promise<number> {
  const body: AddKeyBody = { name, ...grantOf(context.values), publicKey: await readKey(context) };
  const key = await client.request<KeyBody>('POST', '/v1/keys', { body });
  context.out(context.json ? JSON.stringify(key, null, 2) : `Added ${key.name} (${key.fingerprint}).`);
  return 0;
}

/** Nothing is given by default: a key says what it is for. */
function grantOf(values: Context['values']): Omit<AddKeyBody, 'name' | 'publicKey'> {
  const { app = [], branch, create = false, admin = false } = values;
  const [allApps, readOnly] = [values['all-apps'] === true, values['read-only'] === true];
  const wrong =
    !allApps && !admin && !create && app.length === 0
      ? 'The key would be for nothing'
      : allApps && app.length > 0
        ? '--app and --all-apps exclude each other'
        : readOnly && (create || admin || branch !== undefined)
          ? '--read-only excludes --create, --admin and --branch'
          : admin && (create || allApps || app.length > 0 || branch !== undefined)
            ? '--admin stands alone: such a key may do everything'
            : null;
  if (wrong !== null) {
    throw new FnrunError('FN_USAGE', wrong, { hint: 'say what it is for, for example: --app shop --branch main' });
  }
  return { apps: allApps || admin ? null : app, branches: branch ?? null, create, readOnly, admin };
}

async function readKey({ values, cwd, err }: Context): Promise<string> {
  const file = values['key-file'];
  if (file === undefined) {
    if (process.stdin.isTTY) err('Paste the public key, then press Ctrl-D:');
    return await text(process.stdin);
  }
  const path = resolve(cwd, file);
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new FnrunError('FN_USAGE', `Cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}

async function remove(client: ControlClient, { name, context }: { name: string; context: Context }): Promise<number> {
  await client.request('DELETE', `/v1/keys/${encodeURIComponent(name)}`);
  context.out(context.json ? JSON.stringify({ removed: name }) : `Removed ${name}.`);
  return 0;
}
