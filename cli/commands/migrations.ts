import type { MigrationBody, MigrationsBody } from '../../router/control/types.ts';
import { defineCommand, homeOption, jsonOption } from '../command.ts';
import { createControlClient } from '../control-client.ts';
import { resolveHome } from '../home.ts';
import { formatAge, formatDuration, renderTable } from '../table.ts';

export const command = defineCommand({
  name: 'migrations',
  summary: "list what of migrations/ an app's database has had",
  usage: 'migrations APP',
  options: { ...homeOption, ...jsonOption },
  positionals: [1, 1],
  remote: { app: true },
  details: [
    'In the order they are applied in, as the database of DATABASE_URL has them on record; pending',
    'is what is in the live commit and was not applied. A push applies them.',
  ].join('\n'),
  run: async (context) => {
    const { positionals, values, json, out } = context;
    const client = createControlClient(resolveHome(values.home, context));
    const path = `/v1/apps/${encodeURIComponent(positionals[0] ?? '')}/migrations`;
    const { migrations } = await client.request<MigrationsBody>('GET', path);
    if (json) out(JSON.stringify(migrations, null, 2));
    else if (migrations.length === 0) out('No migrations yet: files migrations/*.sql are applied by a push.');
    else
      out(renderTable(['NAME', 'STATE', 'WHEN', 'TOOK', 'STATEMENTS', 'BY', 'COMMIT', 'ERROR'], migrations.map(row)));
    return 0;
  },
});

function row({ name, state, appliedAt, tookMs, statements, by, commit, error }: MigrationBody): string[] {
  return [
    name,
    state,
    appliedAt === null ? '-' : formatAge(appliedAt, { nowMs: Date.now() }),
    tookMs === null ? '-' : formatDuration(tookMs),
    statements === null ? '-' : String(statements),
    by ?? '-',
    commit?.slice(0, 8) ?? '-',
    error ?? '',
  ];
}
