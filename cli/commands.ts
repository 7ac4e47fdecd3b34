import type { Command } from './command.ts';

/** Every subcommand in the order of `--help`, each loaded only when it is called. */
export const commands: Readonly<Record<string, () => Promise<{ command: Command }>>> = {
  init: () => import('./commands/init.ts'),
  dev: () => import('./commands/dev.ts'),
  build: () => import('./commands/build.ts'),
  serve: () => import('./commands/serve.ts'),
  apps: () => import('./commands/apps.ts'),
  deploys: () => import('./commands/deploys.ts'),
  rollback: () => import('./commands/rollback.ts'),
  redeploy: () => import('./commands/redeploy.ts'),
  migrations: () => import('./commands/migrations.ts'),
  env: () => import('./commands/env.ts'),
  backup: () => import('./commands/backup.ts'),
  restore: () => import('./commands/restore.ts'),
  databases: () => import('./commands/databases.ts'),
  domains: () => import('./commands/domains.ts'),
  invoke: () => import('./commands/invoke.ts'),
  logs: () => import('./commands/logs.ts'),
  ps: () => import('./commands/ps.ts'),
  keys: () => import('./commands/keys.ts'),
  receive: () => import('./commands/receive.ts'),
  bench: () => import('./commands/bench.ts'),
  render: () => import('./commands/render.ts'),
  doctor: () => import('./commands/doctor.ts'),
  server: () => import('./commands/server.ts'),
};
