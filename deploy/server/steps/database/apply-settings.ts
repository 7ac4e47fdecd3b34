import { FnrunError } from '../../../../runtime/contract/errors.ts';
import { renderValue } from '../../../mysql/render-config.ts';
import type { Setting } from '../../../mysql/setting.ts';
import { setupLimits } from '../../../../runtime/contract/limits.ts';
import type { Machine } from '../../machine.ts';
import { askServer, type DatabaseServer, runSql } from './engine.ts';

export interface ApplySettingsOptions {
  server: DatabaseServer;
  /** Those of the file, which is written. */
  settings: readonly Setting[];
  tell: (line: string) => void;
}

/** Brings the settings into effect: in the running server where that can be, else by a restart, which ends all connections. */
export async function applySettings(machine: Machine, options: ApplySettingsOptions): Promise<void> {
  const { server, settings, tell } = options;
  const rows = await askServer(machine, server, 'SHOW GLOBAL VARIABLES');
  const running = new Map((rows ?? []).map(([name = '', value = '']) => [name.toLowerCase(), value]));
  const changed = settings.filter((setting) => rows === null || !isInForce(setting, running));
  if (changed.length === 0) return;
  const fixed = changed.filter(({ dynamic }) => !dynamic).map(({ name }) => name);
  if (fixed.length === 0 && (await setGlobal(machine, { server, settings: changed }))) {
    tell(`set ${changed.map(({ name }) => name).join(', ')} in the running server`);
    return;
  }
  tell(`restarting ${server.service}${fixed.length === 0 ? '' : ` for ${fixed.join(', ')}`}`);
  await restart(machine, server);
}

function isInForce({ name, value, shows }: Setting, running: ReadonlyMap<string, string>): boolean {
  if (shows === null) return true;
  const actual = running.get(shows?.variable ?? name);
  // A flag of the command line, or one that this build lacks.
  if (actual === undefined) return true;
  const wanted = shows?.value ?? value;
  if (typeof wanted === 'boolean') return /^(?:on|1|yes)$/i.test(actual) === wanted;
  return typeof wanted === 'number' ? Number(actual) === wanted : actual.toLowerCase() === wanted.toLowerCase();
}

async function setGlobal(
  machine: Machine,
  { server, settings }: { server: DatabaseServer; settings: readonly Setting[] },
): Promise<boolean> {
  const sql = settings.map((setting) => `SET GLOBAL ${setting.name} = ${valueInSql(setting)};`).join('\n');
  return (await runSql(machine, server, sql)).code === 0;
}

function valueInSql(setting: Setting): string {
  const { value } = setting;
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
  return typeof value === 'number' ? String(value) : renderValue(setting);
}

async function restart(machine: Machine, { service }: DatabaseServer): Promise<void> {
  const timeoutMs = setupLimits.databaseRestartMs;
  const { code, stderr } = await machine.run(['systemctl', 'restart', '--', service], { timeoutMs });
  if (code === 0) return;
  const log = await machine.run(['journalctl', '-q', '-n', '30', '-o', 'cat', '-u', service]);
  const said = log.stdout.split('\n').findLast((line) => /\[ERROR\]/.test(line));
  throw new FnrunError(
    'FN_SETUP_FAILED',
    `${service} did not start with its new configuration: ${said ?? stderr.trim()}`,
    {
      hint: 'it was started with the one from before; see: journalctl -u ' + service,
    },
  );
}
